-- Services that a program still has but that are not to come back with its next start.
CREATE TABLE deleted_service (
    id {identity},
    name VARCHAR(300) {bytewise} NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT deleted_service_name UNIQUE (name, cluster_id)
);
CREATE INDEX deleted_service_cluster_name ON deleted_service (cluster_id, name);
