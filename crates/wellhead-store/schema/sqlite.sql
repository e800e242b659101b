CREATE TABLE app_keys (
    id TEXT PRIMARY KEY NOT NULL,
    app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    -- Keeps keys in the order in which they were made.
    seq INTEGER NOT NULL UNIQUE,
    name TEXT,
    -- The last characters of the key's text, to tell keys apart on a screen.
    tail TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    revoked_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE apps (
    name TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    -- JSON list of model names; NULL: all models.
    models TEXT CHECK (models IS NULL OR json_valid(models)),
    rpm INTEGER CHECK (rpm IS NULL OR rpm >= 1),
    tpm INTEGER CHECK (tpm IS NULL OR tpm >= 1),
    concurrency INTEGER CHECK (concurrency IS NULL OR concurrency >= 1),
    version INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE change_counter (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;

CREATE TABLE generations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The generation that served after this event: the new one if it was applied, else the one before.
    generation INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    -- Of the configuration's text as it was read; hex.
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'rejected')),
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- JSON list of diagnostics.
    messages TEXT NOT NULL CHECK (json_valid(messages))
) STRICT;

CREATE INDEX app_keys_by_app ON app_keys (app, seq);

CREATE INDEX generations_applied ON generations (outcome, id);
