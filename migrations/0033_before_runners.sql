-- Machines that make ladders over HTTPS, with nothing but a token, of which the hash is stored.
CREATE TABLE runners (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE,
    token_hash bytea NOT NULL UNIQUE,
    takes_encrypted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz,
    -- Until then it waits for work.
    waits_until timestamptz NOT NULL DEFAULT '-infinity',
    done integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    failed_in_row integer NOT NULL DEFAULT 0,
    paused_until timestamptz NOT NULL DEFAULT '-infinity',
    revoked_at timestamptz
);

-- Ladders that workers offer to runners: for an attempt, for as long as its worker lives (`kept_until`) and the lease is renewed.
CREATE TABLE runner_jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    video_id uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    attempt integer NOT NULL,
    encrypted boolean NOT NULL,
    task jsonb NOT NULL,
    sealed_key bytea,
    most_seconds double precision NOT NULL,
    state text NOT NULL DEFAULT 'offered' CONSTRAINT runner_job_states CHECK (state IN ('offered', 'leased', 'complete', 'failed', 'returned')),
    share double precision NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    kept_until timestamptz NOT NULL,
    runner_id uuid REFERENCES runners,
    leased_until timestamptz,
    ends_at timestamptz
);
CREATE INDEX runner_jobs_by_video ON runner_jobs (video_id);
CREATE INDEX runner_jobs_by_runner ON runner_jobs (runner_id) WHERE runner_id IS NOT NULL;

-- What of a job is in storage beside the uploads: `size` once it is whole.
CREATE TABLE runner_files (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id uuid NOT NULL REFERENCES runner_jobs ON DELETE CASCADE,
    name text NOT NULL,
    most bigint NOT NULL,
    size bigint,
    lease_holder text,
    leased_until timestamptz,
    UNIQUE (job_id, name)
);
