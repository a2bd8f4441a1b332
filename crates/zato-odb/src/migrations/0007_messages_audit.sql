-- Named places in messages, and what is kept of audited calls.
CREATE TABLE msg_ns (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    value VARCHAR(500) NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT msg_ns_name UNIQUE (cluster_id, name)
);

CREATE TABLE msg_xpath (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    value VARCHAR(1500) NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT msg_xpath_name UNIQUE (cluster_id, name)
);

CREATE TABLE msg_json_pointer (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    value VARCHAR(1500) NOT NULL,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT msg_json_pointer_name UNIQUE (cluster_id, name)
);

CREATE TABLE http_soap_audit (
    id {identity},
    name VARCHAR(200) {bytewise} NOT NULL,
    cid VARCHAR(200) NOT NULL,
    transport VARCHAR(200) NOT NULL,
    connection VARCHAR(200) NOT NULL,
    req_time TIMESTAMP NOT NULL,
    resp_time TIMESTAMP,
    user_token VARCHAR(200),
    invoke_ok BOOLEAN,
    auth_ok BOOLEAN,
    remote_addr VARCHAR(200) NOT NULL,
    req_headers {bytes},
    req_payload {bytes},
    resp_headers {bytes},
    resp_payload {bytes},
    conn_id BIGINT NOT NULL REFERENCES http_soap (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE
);
CREATE INDEX http_soap_audit_conn ON http_soap_audit (conn_id);
CREATE INDEX http_soap_audit_cluster ON http_soap_audit (cluster_id);
CREATE INDEX http_soap_audit_cid ON http_soap_audit (cid);
CREATE INDEX http_soap_audit_req_time ON http_soap_audit (req_time);

CREATE TABLE http_soap_au_rpl_p_jp (
    id {identity},
    conn_id BIGINT NOT NULL REFERENCES http_soap (id) ON DELETE CASCADE,
    pattern_id BIGINT NOT NULL REFERENCES msg_json_pointer (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT http_soap_au_rpl_p_jp_pattern UNIQUE (conn_id, pattern_id)
);
CREATE INDEX http_soap_au_rpl_p_jp_of_pattern ON http_soap_au_rpl_p_jp (pattern_id);
CREATE INDEX http_soap_au_rpl_p_jp_cluster ON http_soap_au_rpl_p_jp (cluster_id);

CREATE TABLE http_soap_au_rpl_p_xp (
    id {identity},
    conn_id BIGINT NOT NULL REFERENCES http_soap (id) ON DELETE CASCADE,
    pattern_id BIGINT NOT NULL REFERENCES msg_xpath (id) ON DELETE CASCADE,
    cluster_id BIGINT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    CONSTRAINT http_soap_au_rpl_p_xp_pattern UNIQUE (conn_id, pattern_id)
);
CREATE INDEX http_soap_au_rpl_p_xp_of_pattern ON http_soap_au_rpl_p_xp (pattern_id);
CREATE INDEX http_soap_au_rpl_p_xp_cluster ON http_soap_au_rpl_p_xp (cluster_id);
