-- What was deployed where. A foreign key is indexed unless a unique constraint begins with it.
CREATE TABLE deployed_service (
    id {identity},
    deployment_time TIMESTAMP NOT NULL,
    details VARCHAR(2000) NOT NULL,
    source {bytes},
    source_path VARCHAR(2000),
    source_hash VARCHAR(512),
    source_hash_method VARCHAR(20),
    server_id BIGINT NOT NULL REFERENCES server (id) ON DELETE CASCADE,
    service_id BIGINT NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT deployed_service_service UNIQUE (server_id, service_id)
);
CREATE INDEX deployed_service_of_service ON deployed_service (service_id);
CREATE INDEX deployed_service_cluster ON deployed_service (cluster_id);

CREATE TABLE deployment_package (
    id {identity},
    deployment_time TIMESTAMP NOT NULL,
    details VARCHAR(2000) NOT NULL,
    payload_name VARCHAR(200) {bytewise} NOT NULL,
    payload {bytes} NOT NULL,
    server_id BIGINT NOT NULL REFERENCES server (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE
);
CREATE INDEX deployment_package_server ON deployment_package (server_id);
CREATE INDEX deployment_package_cluster_payload_name ON deployment_package (cluster_id, payload_name);

CREATE TABLE deployment_status (
    id {identity},
    package_id BIGINT NOT NULL REFERENCES deployment_package (id) ON DELETE CASCADE,
    server_id BIGINT NOT NULL REFERENCES server (id) ON DELETE CASCADE,
    status VARCHAR(20) NOT NULL,
    status_change_time TIMESTAMP NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT deployment_status_package UNIQUE (package_id, server_id)
);
CREATE INDEX deployment_status_server ON deployment_status (server_id);
CREATE INDEX deployment_status_cluster ON deployment_status (cluster_id);
