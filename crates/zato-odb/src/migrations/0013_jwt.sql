-- What definitions of JSON Web Tokens are made of besides what OAuth has, all of it NULL for the types before.
ALTER TABLE sec_base ADD COLUMN public_key VARCHAR(200000);
ALTER TABLE sec_base ADD COLUMN issuer VARCHAR(200);
ALTER TABLE sec_base ADD COLUMN audience VARCHAR(200);
ALTER TABLE sec_base ADD COLUMN leeway INTEGER;
