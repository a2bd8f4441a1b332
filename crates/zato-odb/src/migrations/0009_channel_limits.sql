-- How many calls a channel lets through, and the web pages that may make them.
ALTER TABLE http_soap ADD COLUMN rate_limit VARCHAR(40);
ALTER TABLE http_soap ADD COLUMN max_in_flight INTEGER;
ALTER TABLE http_soap ADD COLUMN cors_origins VARCHAR(2000);
