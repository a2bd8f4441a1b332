-- How many calls a security definition lets through over all channels that it guards.
ALTER TABLE sec_base ADD COLUMN rate_limit VARCHAR(40);
ALTER TABLE sec_base ADD COLUMN max_in_flight INTEGER;
