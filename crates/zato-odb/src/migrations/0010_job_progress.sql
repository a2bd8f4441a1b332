-- How far the scheduler got with each job. Apart from the jobs, so that an edit of one overwrites nothing of it.
CREATE TABLE job_progress (
    job_id BIGINT NOT NULL PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    runs BIGINT NOT NULL,
    last_due TIMESTAMP
);
