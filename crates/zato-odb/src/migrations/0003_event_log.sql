-- `object` and `action` are texts, so that an older server can read the events of a newer one. There is no foreign key
-- to the object: the event of a deletion outlives it.
CREATE TABLE event_log (
    id {identity},
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    time TIMESTAMP NOT NULL,
    object VARCHAR(45) NOT NULL,
    object_id BIGINT NOT NULL,
    action VARCHAR(45) NOT NULL,
    name VARCHAR(400) NOT NULL,
    cid VARCHAR(200) NOT NULL,
    actor VARCHAR(200) NOT NULL
);
CREATE INDEX event_log_cluster ON event_log (cluster_id, id);
CREATE INDEX event_log_time ON event_log (time);

-- The newest event that was removed from the log of each cluster.
CREATE TABLE event_log_trimmed (
    cluster_id BIGINT NOT NULL PRIMARY KEY REFERENCES cluster (id) ON DELETE CASCADE,
    last_id BIGINT NOT NULL
);

-- One row: a known text, encrypted, by which a server notices that it was given another key than its peers.
CREATE TABLE secret_key_check (
    id INTEGER NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
);
