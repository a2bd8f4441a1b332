-- The columns of the other types of security definitions, all of them NULL for the types before.
ALTER TABLE sec_base ADD COLUMN salt VARCHAR(32);
ALTER TABLE sec_base ADD COLUMN proto_version VARCHAR(32);
ALTER TABLE sec_base ADD COLUMN sig_method VARCHAR(32);
ALTER TABLE sec_base ADD COLUMN max_nonce_log INTEGER;
ALTER TABLE sec_base ADD COLUMN username_expr VARCHAR(200);
ALTER TABLE sec_base ADD COLUMN password_expr VARCHAR(200);
ALTER TABLE sec_base ADD COLUMN info VARCHAR(200000);
ALTER TABLE sec_base ADD COLUMN value TEXT;

CREATE TABLE sec_tls_ca_cert (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    value VARCHAR(200000) NOT NULL,
    info VARCHAR(200000) NOT NULL,
    is_active BOOLEAN NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT sec_tls_ca_cert_name UNIQUE (cluster_id, name)
);

-- The reference that had nothing to refer to. The column is made anew, since SQLite adds no constraint to one that exists;
-- no value is lost, since there were no certificates.
ALTER TABLE http_soap DROP COLUMN sec_tls_ca_cert_id;
ALTER TABLE http_soap ADD COLUMN sec_tls_ca_cert_id BIGINT REFERENCES sec_tls_ca_cert (id) ON DELETE CASCADE;
CREATE INDEX http_soap_sec_tls_ca_cert ON http_soap (sec_tls_ca_cert_id);

CREATE TABLE rbac_role (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    parent_id BIGINT REFERENCES rbac_role (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT rbac_role_name UNIQUE (cluster_id, name)
);
CREATE INDEX rbac_role_parent ON rbac_role (parent_id);

CREATE TABLE rbac_perm (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT rbac_perm_name UNIQUE (cluster_id, name)
);

CREATE TABLE rbac_client_role (
    id {identity},
    name VARCHAR(403) {bytewise} NOT NULL,
    client_def VARCHAR(200) NOT NULL,
    role_id BIGINT NOT NULL REFERENCES rbac_role (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT rbac_client_role_client UNIQUE (cluster_id, client_def, role_id)
);
CREATE INDEX rbac_client_role_role ON rbac_client_role (role_id);
CREATE INDEX rbac_client_role_cluster_name ON rbac_client_role (cluster_id, name);

CREATE TABLE rbac_role_perm (
    id {identity},
    role_id BIGINT NOT NULL REFERENCES rbac_role (id) ON DELETE CASCADE,
    perm_id BIGINT NOT NULL REFERENCES rbac_perm (id) ON DELETE CASCADE,
    service_id BIGINT NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT rbac_role_perm_role UNIQUE (cluster_id, role_id, perm_id, service_id)
);
CREATE INDEX rbac_role_perm_of_role ON rbac_role_perm (role_id);
CREATE INDEX rbac_role_perm_perm ON rbac_role_perm (perm_id);
CREATE INDEX rbac_role_perm_service ON rbac_role_perm (service_id);
