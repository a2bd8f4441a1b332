-- Definitions, channels, outgoing connections and jobs. What belongs to a definition carries its cluster as well, so that
-- names are unique in the cluster and not only per definition. A foreign key is indexed: deleting what it refers to has
-- to find the rows that go along.
CREATE TABLE conn_def_amqp (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    host VARCHAR(200) NOT NULL,
    port INTEGER NOT NULL,
    vhost VARCHAR(200) NOT NULL,
    username VARCHAR(200) NOT NULL,
    password TEXT NOT NULL,
    frame_max INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT conn_def_amqp_name UNIQUE (cluster_id, name)
);

CREATE TABLE conn_def_wmq (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    host VARCHAR(200) NOT NULL,
    port INTEGER NOT NULL,
    queue_manager VARCHAR(200) NOT NULL,
    channel VARCHAR(200) NOT NULL,
    cache_open_send_queues BOOLEAN NOT NULL,
    cache_open_receive_queues BOOLEAN NOT NULL,
    use_shared_connections BOOLEAN NOT NULL,
    dynamic_queue_template VARCHAR(200) NOT NULL,
    ssl BOOLEAN NOT NULL,
    ssl_cipher_spec VARCHAR(200),
    ssl_key_repository VARCHAR(200),
    needs_mcd BOOLEAN NOT NULL,
    max_chars_printed INTEGER NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT conn_def_wmq_name UNIQUE (cluster_id, name)
);

CREATE TABLE channel_amqp (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    queue VARCHAR(200) NOT NULL,
    consumer_tag_prefix VARCHAR(200) NOT NULL,
    data_format VARCHAR(20),
    service_id BIGINT NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    def_id BIGINT NOT NULL REFERENCES conn_def_amqp (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT channel_amqp_name UNIQUE (cluster_id, name)
);
CREATE INDEX channel_amqp_service ON channel_amqp (service_id);
CREATE INDEX channel_amqp_def ON channel_amqp (def_id);

CREATE TABLE channel_wmq (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    queue VARCHAR(200) NOT NULL,
    data_format VARCHAR(20),
    service_id BIGINT NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    def_id BIGINT NOT NULL REFERENCES conn_def_wmq (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT channel_wmq_name UNIQUE (cluster_id, name)
);
CREATE INDEX channel_wmq_service ON channel_wmq (service_id);
CREATE INDEX channel_wmq_def ON channel_wmq (def_id);

CREATE TABLE channel_zmq (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    address VARCHAR(200) NOT NULL,
    socket_type VARCHAR(20) NOT NULL,
    sub_key VARCHAR(200),
    data_format VARCHAR(20),
    service_id BIGINT NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT channel_zmq_name UNIQUE (cluster_id, name)
);
CREATE INDEX channel_zmq_service ON channel_zmq (service_id);

CREATE TABLE out_amqp (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    delivery_mode INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    content_type VARCHAR(200),
    content_encoding VARCHAR(200),
    expiration VARCHAR(20),
    user_id VARCHAR(200),
    app_id VARCHAR(200),
    def_id BIGINT NOT NULL REFERENCES conn_def_amqp (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT out_amqp_name UNIQUE (cluster_id, name)
);
CREATE INDEX out_amqp_def ON out_amqp (def_id);

CREATE TABLE out_wmq (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    delivery_mode INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    expiration VARCHAR(20),
    def_id BIGINT NOT NULL REFERENCES conn_def_wmq (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT out_wmq_name UNIQUE (cluster_id, name)
);
CREATE INDEX out_wmq_def ON out_wmq (def_id);

CREATE TABLE out_zmq (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    address VARCHAR(200) NOT NULL,
    socket_type VARCHAR(20) NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT out_zmq_name UNIQUE (cluster_id, name)
);

CREATE TABLE out_ftp (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    host VARCHAR(200) NOT NULL,
    "user" VARCHAR(200),
    password TEXT,
    acct VARCHAR(200),
    timeout INTEGER,
    port INTEGER NOT NULL,
    dircache BOOLEAN NOT NULL,
    use_ftps BOOLEAN NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT out_ftp_name UNIQUE (cluster_id, name)
);

CREATE TABLE sql_pool (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    username VARCHAR(200) NOT NULL,
    password TEXT NOT NULL,
    db_name VARCHAR(200) NOT NULL,
    engine VARCHAR(200) NOT NULL,
    extra VARCHAR(20000),
    host VARCHAR(200) NOT NULL,
    port INTEGER NOT NULL,
    pool_size INTEGER NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT sql_pool_name UNIQUE (cluster_id, name)
);

-- One table for jobs of all types: a column that a type does not have is NULL.
CREATE TABLE job (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    is_active BOOLEAN NOT NULL,
    job_type VARCHAR(20) NOT NULL,
    start_date TIMESTAMP NOT NULL,
    extra VARCHAR(500000),
    service_id BIGINT NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    weeks INTEGER,
    days INTEGER,
    hours INTEGER,
    minutes INTEGER,
    seconds INTEGER,
    repeats INTEGER,
    cron_definition VARCHAR(4000),
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT job_name UNIQUE (cluster_id, name)
);
CREATE INDEX job_service ON job (service_id);
