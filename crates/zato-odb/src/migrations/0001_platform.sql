-- Clusters, servers, services. `{identity}` and `{bytewise}` are what the two databases spell differently.
CREATE TABLE cluster (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    description VARCHAR(1000),
    odb_type VARCHAR(30) NOT NULL,
    odb_host VARCHAR(200),
    odb_port INTEGER,
    odb_user VARCHAR(200),
    odb_db_name VARCHAR(200),
    odb_schema VARCHAR(200),
    broker_host VARCHAR(200) NOT NULL,
    broker_port INTEGER NOT NULL,
    lb_host VARCHAR(200) NOT NULL,
    lb_port INTEGER NOT NULL,
    lb_agent_port INTEGER NOT NULL,
    cw_srv_id BIGINT,
    cw_srv_keep_alive_dt TIMESTAMP,
    CONSTRAINT cluster_name UNIQUE (name)
);

CREATE TABLE server (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    host VARCHAR(400),
    bind_host VARCHAR(400),
    bind_port INTEGER,
    last_join_status VARCHAR(40),
    last_join_mod_date TIMESTAMP,
    last_join_mod_by VARCHAR(200),
    up_status VARCHAR(40),
    up_mod_date TIMESTAMP,
    token VARCHAR(32) NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT server_name UNIQUE (name, cluster_id),
    CONSTRAINT server_token UNIQUE (token)
);
CREATE INDEX server_cluster ON server (cluster_id);

CREATE TABLE service (
    id {identity},
    name VARCHAR(300) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    impl_name VARCHAR(2000) NOT NULL,
    is_internal BOOLEAN NOT NULL,
    wsdl {bytes},
    wsdl_name VARCHAR(200),
    slow_threshold INTEGER NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT service_name UNIQUE (name, cluster_id)
);
CREATE INDEX service_cluster ON service (cluster_id);
