-- One table holds all types of security definitions: a column that a type does not have is NULL. A new type that needs
-- columns of its own adds them in a migration of its own.
CREATE TABLE sec_base (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    username VARCHAR(200),
    password TEXT,
    password_type VARCHAR(45),
    is_active BOOLEAN NOT NULL,
    sec_type VARCHAR(45) NOT NULL,
    realm VARCHAR(200),
    reject_empty_nonce_creat BOOLEAN,
    reject_stale_tokens BOOLEAN,
    reject_expiry_limit INTEGER,
    nonce_freshness_time INTEGER,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT sec_base_name UNIQUE (cluster_id, name),
    CONSTRAINT sec_base_username UNIQUE (cluster_id, username, sec_type)
);

-- `host` is never NULL: unique constraints take NULLs for distinct, and two channels of one address would pass.
-- `sec_tls_ca_cert_id` has no foreign key until the table it refers to exists.
CREATE TABLE http_soap (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_internal BOOLEAN NOT NULL,
    connection VARCHAR(20) NOT NULL,
    transport VARCHAR(20) NOT NULL,
    host VARCHAR(200) NOT NULL,
    url_path VARCHAR(200) NOT NULL,
    method VARCHAR(200),
    soap_action VARCHAR(200) NOT NULL,
    soap_version VARCHAR(20),
    data_format VARCHAR(20),
    ping_method VARCHAR(60),
    pool_size INTEGER,
    merge_url_params_req BOOLEAN NOT NULL,
    url_params_pri VARCHAR(200) NOT NULL,
    params_pri VARCHAR(200) NOT NULL,
    audit_enabled BOOLEAN NOT NULL,
    audit_back_log INTEGER NOT NULL,
    audit_max_payload INTEGER NOT NULL,
    audit_repl_patt_type VARCHAR(200) NOT NULL,
    serialization_type VARCHAR(200) NOT NULL,
    timeout INTEGER NOT NULL,
    sec_tls_ca_cert_id BIGINT,
    has_rbac BOOLEAN NOT NULL,
    service_id BIGINT REFERENCES service (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    security_id BIGINT REFERENCES sec_base (id) ON DELETE CASCADE,
    CONSTRAINT http_soap_name UNIQUE (name, connection, transport, cluster_id),
    CONSTRAINT http_soap_address UNIQUE (url_path, host, connection, soap_action, cluster_id)
);
CREATE INDEX http_soap_cluster ON http_soap (cluster_id);
CREATE INDEX http_soap_service ON http_soap (service_id);
CREATE INDEX http_soap_security ON http_soap (security_id);
