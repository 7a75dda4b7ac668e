PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "seaql_migrations" ( "version" varchar NOT NULL PRIMARY KEY, "applied_at" integer NOT NULL );
INSERT INTO seaql_migrations VALUES('0001_first',1795524749);
CREATE TABLE zones (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    created_at TIMESTAMPTZ NOT NULL
);
INSERT INTO zones VALUES(X'01a20d9d67c376748cf049233e0d5c32','default',NULL,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO zones VALUES(X'01a20d9d67ce72a586b3f15e6b406aa4','web','shops, "quoted" and 日本','2026-03-01T12:00:00.123456+00:00');
CREATE TABLE cloud_identities (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    access JSONB NOT NULL,
    revision BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
INSERT INTO cloud_identities VALUES(X'01a20d9d67c376748cf04924d75aa0cf','sandbox','{"type":"sandbox"}',1,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO cloud_identities VALUES(X'01a20d9d67cf708c80471cb6edd8336a','production','{"type":"aws","role_arn":"arn:aws:iam::123456789012:role/alethia","external_id":"x-1"}',1,'2026-03-01T12:00:00.123456+00:00');
CREATE TABLE specs (
    id UUID PRIMARY KEY,
    zone_id UUID NOT NULL REFERENCES zones (id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    stage TEXT NOT NULL,
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    identity_id UUID NOT NULL REFERENCES cloud_identities (id) ON DELETE RESTRICT,
    status TEXT NOT NULL,
    status_reason TEXT,
    revision BIGINT NOT NULL,
    deployed_revision BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (zone_id, name)
);
INSERT INTO specs VALUES(X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d67ce72a586b3f15e6b406aa4','shop','production','aws','eu-central-1',X'01a20d9d67cf708c80471cb6edd8336a','ACTIVE',NULL,2,1,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO specs VALUES(X'01a20d9d690d71f788a57594637ea338',X'01a20d9d67ce72a586b3f15e6b406aa4','api','production','aws','eu-central-1',X'01a20d9d67cf708c80471cb6edd8336a','FAILED','the Runner was lost',1,NULL,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO specs VALUES(X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d67c376748cf049233e0d5c32','cache','production','aws','eu-central-1',X'01a20d9d67cf708c80471cb6edd8336a','DRAFT',NULL,1,NULL,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO specs VALUES(X'01a20d9d692d75d1981ebbe53c07264d',X'01a20d9d67c376748cf049233e0d5c32','busy','production','aws','eu-central-1',X'01a20d9d67cf708c80471cb6edd8336a','PROVISIONING',NULL,1,NULL,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO specs VALUES(X'01a20d9d694071688083f79d2f9b1d90',X'01a20d9d67c376748cf049233e0d5c32','claimed','production','aws','eu-central-1',X'01a20d9d67cf708c80471cb6edd8336a','DRAFT',NULL,1,NULL,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO specs VALUES(X'01a20d9d694373ecaabb48da4a45dbd7',X'01a20d9d67c376748cf049233e0d5c32','waiting','production','aws','eu-central-1',X'01a20d9d67cf708c80471cb6edd8336a','QUEUED',NULL,1,NULL,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
CREATE TABLE spec_revisions (
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    document TEXT NOT NULL,
    hash TEXT NOT NULL,
    author TEXT NOT NULL,
    message TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (spec_id, number)
);
INSERT INTO spec_revisions VALUES(X'01a20d9d67db73e68b24d352c7771254',1,'{"zone":"web","name":"shop","b":1.5,"a":{"z":1,"y":[true,null]}}','f4e8be7e01ded8a936213233ba3a67c778f64084a885e5fb9b7a7e8aef281804','ada','number 1','2026-03-01T12:00:00.123456+00:00');
INSERT INTO spec_revisions VALUES(X'01a20d9d67db73e68b24d352c7771254',2,'{"zone":"web","name":"shop","b":1.5,"a":{"z":2,"y":[true,null]}}','34711179d65ab65a62e510154ba4e98d09850b363f5031cd9df386bdf2630d5b','ada','number 2','2026-03-01T12:00:00.123456+00:00');
INSERT INTO spec_revisions VALUES(X'01a20d9d690d71f788a57594637ea338',1,'{"zone":"web","name":"api","b":1.5,"a":{"z":1,"y":[true,null]}}','c85c7d4632c836b635c4e2d31b10e2b1859b02e70d33c518dd7870cb7187fb18','ada','number 1','2026-03-01T12:00:00.123456+00:00');
INSERT INTO spec_revisions VALUES(X'01a20d9d692271ee86e8bb55abc49d72',1,'{"zone":"web","name":"cache","b":1.5,"a":{"z":1,"y":[true,null]}}','196eb505713db9d166c9a78ff6e6e5eb889b502bd234b3e91e6a1bd693943e18','ada','number 1','2026-03-01T12:00:00.123456+00:00');
INSERT INTO spec_revisions VALUES(X'01a20d9d692d75d1981ebbe53c07264d',1,'{"zone":"web","name":"busy","b":1.5,"a":{"z":1,"y":[true,null]}}','5a9289315e73dda19aab19dc78550ab95bb6b60c5627aa7e78c7620df45dd26e','ada','number 1','2026-03-01T12:00:00.123456+00:00');
INSERT INTO spec_revisions VALUES(X'01a20d9d694071688083f79d2f9b1d90',1,'{"zone":"web","name":"claimed","b":1.5,"a":{"z":1,"y":[true,null]}}','7d3101ecf69bea1d499f8b400f3d6c29b828c66e5402c409c3e37b3933227af0','ada','number 1','2026-03-01T12:00:00.123456+00:00');
INSERT INTO spec_revisions VALUES(X'01a20d9d694373ecaabb48da4a45dbd7',1,'{"zone":"web","name":"waiting","b":1.5,"a":{"z":1,"y":[true,null]}}','b680d83a4b43738cf36c6b8e965d8b32d3b0fd2e1b643ee59cf4e0b787f394ee','ada','number 1','2026-03-01T12:00:00.123456+00:00');
CREATE TABLE components (
    id UUID PRIMARY KEY,
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    outputs JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (spec_id, kind, name)
);
INSERT INTO components VALUES(X'01a20d9d67db73e68b24d353a1cba1df',X'01a20d9d67db73e68b24d352c7771254','network','network','ACTIVE',NULL,'{"endpoint":"network.example.com","ports":[80,443]}','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO components VALUES(X'01a20d9d67db73e68b24d35450f77eb9',X'01a20d9d67db73e68b24d352c7771254','database','orders','ACTIVE',NULL,'{"endpoint":"orders.example.com","ports":[80,443]}','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO components VALUES(X'01a20d9d690d71f788a57595b6abe0db',X'01a20d9d690d71f788a57594637ea338','network','network','CREATING',NULL,'{"endpoint":"network.example.com","ports":[80,443]}','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO components VALUES(X'01a20d9d690d71f788a575961d525a70',X'01a20d9d690d71f788a57594637ea338','database','users','FAILED',NULL,'{"endpoint":"users.example.com","ports":[80,443]}','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO components VALUES(X'01a20d9d692e7509b3e74844ac74d7ad',X'01a20d9d692d75d1981ebbe53c07264d','network','network','CREATING',NULL,'{"endpoint":"network.example.com","ports":[80,443]}','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO components VALUES(X'01a20d9d694373ecaabb48db7de4e74a',X'01a20d9d694373ecaabb48da4a45dbd7','network','network','PENDING',NULL,'{}','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
CREATE TABLE runners (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    labels JSONB NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    version TEXT,
    tool TEXT,
    last_seen_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ
);
INSERT INTO runners VALUES(X'01a20d9d67d273fa9f5be9b8ce785873','blue','["gpu","eu"]','16477688c0e00699c6cfa4497a3612d7e83c532062b64b250fed8908128ed548','0.1.0','terraform 1.11.4','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00',NULL);
INSERT INTO runners VALUES(X'01a20d9d67d3727fb13c1bce96208b51','old','[]','cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4',NULL,NULL,NULL,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
CREATE TABLE provision_jobs (
    id UUID PRIMARY KEY,
    zone_id UUID NOT NULL REFERENCES zones (id) ON DELETE RESTRICT,
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    job_type TEXT NOT NULL,
    status TEXT NOT NULL,
    priority BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    snapshot_hash TEXT NOT NULL,
    identity_id UUID NOT NULL,
    plan_job_id UUID REFERENCES provision_jobs (id) ON DELETE CASCADE,
    retry_of UUID REFERENCES provision_jobs (id) ON DELETE CASCADE,
    destroy BOOLEAN NOT NULL,
    required_labels JSONB NOT NULL,
    assigned_runner_id UUID REFERENCES runners (id) ON DELETE RESTRICT,
    former_status TEXT,
    runner_id UUID REFERENCES runners (id) ON DELETE RESTRICT,
    attempt BIGINT NOT NULL,
    lease_expires_at TIMESTAMPTZ,
    not_before TIMESTAMPTZ,
    cancel_requested BOOLEAN NOT NULL,
    step TEXT,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    failure JSONB,
    logs_archived BOOLEAN NOT NULL DEFAULT FALSE,
    author TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ
);
INSERT INTO provision_jobs VALUES(X'01a20d9d67e3750dbc44007baa26dca7',X'01a20d9d67ce72a586b3f15e6b406aa4',X'01a20d9d67db73e68b24d352c7771254','PLAN','SUCCESS',10,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'[]',NULL,NULL,X'01a20d9d67d273fa9f5be9b8ce785873',1,NULL,NULL,0,NULL,0,0,NULL,1,'ada','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO provision_jobs VALUES(X'01a20d9d683376d19b69f355338f8783',X'01a20d9d67ce72a586b3f15e6b406aa4',X'01a20d9d67db73e68b24d352c7771254','DEPLOY','SUCCESS',20,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',X'01a20d9d67e3750dbc44007baa26dca7',NULL,0,'[]',NULL,NULL,X'01a20d9d67d273fa9f5be9b8ce785873',1,NULL,NULL,0,NULL,0,0,NULL,1,'ada','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO provision_jobs VALUES(X'01a20d9d690f775685fc1a1086f76dbd',X'01a20d9d67ce72a586b3f15e6b406aa4',X'01a20d9d690d71f788a57594637ea338','DEPLOY','FAILED',20,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'[]',NULL,NULL,X'01a20d9d67d273fa9f5be9b8ce785873',1,NULL,NULL,0,NULL,0,0,'{"reason":"runner_lost","message":"the Runner was lost","address":"module.network.aws_vpc.this","hint":"look at the lock"}',0,'ada','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:31.123456+00:00');
INSERT INTO provision_jobs VALUES(X'01a20d9d692075ecb66fc8aa75b6c385',X'01a20d9d67ce72a586b3f15e6b406aa4',X'01a20d9d690d71f788a57594637ea338','PLAN','CANCELLED',10,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,X'01a20d9d690f775685fc1a1086f76dbd',0,'[]',NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,NULL,0,'ada','2026-03-01T12:00:00.123456+00:00',NULL,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO provision_jobs VALUES(X'01a20d9d6924704abe9123560a6c412d',X'01a20d9d67c376748cf049233e0d5c32',X'01a20d9d692271ee86e8bb55abc49d72','PLAN','CANCELLED',10,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'[]',NULL,NULL,X'01a20d9d67d273fa9f5be9b8ce785873',1,NULL,NULL,0,NULL,0,0,NULL,0,'ada','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO provision_jobs VALUES(X'01a20d9d6927739d93395f661eba6d23',X'01a20d9d67c376748cf049233e0d5c32',X'01a20d9d692271ee86e8bb55abc49d72','PLAN','QUEUED',10,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'[]',NULL,NULL,NULL,1,NULL,'2026-03-01T12:10:00.123456+00:00',0,NULL,0,0,NULL,0,'ada','2026-03-01T12:00:00.123456+00:00',NULL,NULL);
INSERT INTO provision_jobs VALUES(X'01a20d9d692f7227baa293400dcb74d7',X'01a20d9d67c376748cf049233e0d5c32',X'01a20d9d692d75d1981ebbe53c07264d','DEPLOY','PROCESSING',20,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'[]',NULL,NULL,X'01a20d9d67d273fa9f5be9b8ce785873',1,'2026-03-01T12:00:30.123456+00:00',NULL,0,NULL,0,0,NULL,0,'ada','2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00',NULL);
INSERT INTO provision_jobs VALUES(X'01a20d9d6941767a9b56fcd981f13ace',X'01a20d9d67c376748cf049233e0d5c32',X'01a20d9d694071688083f79d2f9b1d90','PLAN','CLAIMED',10,1,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'[]',NULL,NULL,X'01a20d9d67d273fa9f5be9b8ce785873',1,'2026-03-01T12:00:30.123456+00:00',NULL,0,NULL,0,0,NULL,0,'ada','2026-03-01T12:00:00.123456+00:00',NULL,NULL);
INSERT INTO provision_jobs VALUES(X'01a20d9d69457521b2f19726bb4b54e6',X'01a20d9d67c376748cf049233e0d5c32',X'01a20d9d694373ecaabb48da4a45dbd7','DEPLOY','QUEUED',20,0,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'["gpu"]',NULL,'DRAFT',NULL,0,NULL,NULL,0,NULL,0,0,NULL,0,'ada','2026-03-01T12:00:00.123456+00:00',NULL,NULL);
INSERT INTO provision_jobs VALUES(X'01a20d9d69467719a5918f0bc7a1d902',X'01a20d9d67c376748cf049233e0d5c32',X'01a20d9d694373ecaabb48da4a45dbd7','PLAN','QUEUED',10,1,1,'{"name":"frozen","b":1,"a":2}','ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394',X'01a20d9d67cf708c80471cb6edd8336a',NULL,NULL,0,'[]',X'01a20d9d67d273fa9f5be9b8ce785873',NULL,NULL,0,NULL,NULL,0,NULL,0,0,NULL,0,'ada','2026-03-01T12:00:00.123456+00:00',NULL,NULL);
CREATE TABLE job_attempts (
    job_id UUID NOT NULL REFERENCES provision_jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    runner_id UUID NOT NULL REFERENCES runners (id) ON DELETE RESTRICT,
    token_hash TEXT NOT NULL UNIQUE,
    last_sequence BIGINT NOT NULL,
    claimed_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    PRIMARY KEY (job_id, attempt)
);
INSERT INTO job_attempts VALUES(X'01a20d9d67e3750dbc44007baa26dca7',1,X'01a20d9d67d273fa9f5be9b8ce785873','c3a06e2f4940f0d53464941d22d78f180a6d4b42110f11a88beb75f5ac5e68fa',230,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO job_attempts VALUES(X'01a20d9d683376d19b69f355338f8783',1,X'01a20d9d67d273fa9f5be9b8ce785873','b53f84d706aa0d1f488add18e6e70aae598d03df580e804575c816b08f295cc4',5,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO job_attempts VALUES(X'01a20d9d690f775685fc1a1086f76dbd',1,X'01a20d9d67d273fa9f5be9b8ce785873','a224da5c80fb88d11043cec17d6fc403934cc700d8d4194babd854108f4b23d9',3,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:31.123456+00:00');
INSERT INTO job_attempts VALUES(X'01a20d9d6924704abe9123560a6c412d',1,X'01a20d9d67d273fa9f5be9b8ce785873','a540b017beb9069eb416d46b9f0a68dbdb1cd24ccf1bf2b7d7ac335edb8a4b21',2,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO job_attempts VALUES(X'01a20d9d6927739d93395f661eba6d23',1,X'01a20d9d67d273fa9f5be9b8ce785873','d0aeca561311f8c9adaec205da9c95adcfc3c0bd58f23e55e13e6f45931a46e6',4,'2026-03-01T12:00:00.123456+00:00','2026-03-01T12:00:31.123456+00:00');
INSERT INTO job_attempts VALUES(X'01a20d9d692f7227baa293400dcb74d7',1,X'01a20d9d67d273fa9f5be9b8ce785873','52a876dfe26be6d346fb82a91327b0471ada4a2e6c76da1f25c40f4366beabd3',6,'2026-03-01T12:00:00.123456+00:00',NULL);
INSERT INTO job_attempts VALUES(X'01a20d9d6941767a9b56fcd981f13ace',1,X'01a20d9d67d273fa9f5be9b8ce785873','5e2469af10c915855cad4f3e0fbd20e744881f9d56c78aea93b1fdf550f73c65',0,'2026-03-01T12:00:00.123456+00:00',NULL);
CREATE TABLE provision_job_logs (
    job_id UUID NOT NULL REFERENCES provision_jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt, sequence)
);
INSERT INTO provision_job_logs VALUES(X'01a20d9d690f775685fc1a1086f76dbd',1,1,'2026-03-01T12:00:00.124456+00:00',replace('line 1: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d690f775685fc1a1086f76dbd',1,2,'2026-03-01T12:00:00.125456+00:00',replace('line 2: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d690f775685fc1a1086f76dbd',1,3,'2026-03-01T12:00:00.126456+00:00',replace('line 3: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d6924704abe9123560a6c412d',1,1,'2026-03-01T12:00:00.124456+00:00',replace('line 1: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d6924704abe9123560a6c412d',1,2,'2026-03-01T12:00:00.125456+00:00',replace('line 2: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d6927739d93395f661eba6d23',1,1,'2026-03-01T12:00:00.124456+00:00',replace('line 1: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d6927739d93395f661eba6d23',1,2,'2026-03-01T12:00:00.125456+00:00',replace('line 2: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d6927739d93395f661eba6d23',1,3,'2026-03-01T12:00:00.126456+00:00',replace('line 3: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d6927739d93395f661eba6d23',1,4,'2026-03-01T12:00:00.127456+00:00',replace('line 4: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d692f7227baa293400dcb74d7',1,1,'2026-03-01T12:00:00.124456+00:00',replace('line 1: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d692f7227baa293400dcb74d7',1,2,'2026-03-01T12:00:00.125456+00:00',replace('line 2: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d692f7227baa293400dcb74d7',1,3,'2026-03-01T12:00:00.126456+00:00',replace('line 3: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d692f7227baa293400dcb74d7',1,4,'2026-03-01T12:00:00.127456+00:00',replace('line 4: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d692f7227baa293400dcb74d7',1,5,'2026-03-01T12:00:00.128456+00:00',replace('line 5: it''s "so" — ü\n','\n',char(10)));
INSERT INTO provision_job_logs VALUES(X'01a20d9d692f7227baa293400dcb74d7',1,6,'2026-03-01T12:00:00.129456+00:00',replace('line 6: it''s "so" — ü\n','\n',char(10)));
CREATE TABLE job_log_archives (
    job_id UUID NOT NULL REFERENCES provision_jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt, first_sequence)
);
INSERT INTO job_log_archives VALUES(X'01a20d9d67e3750dbc44007baa26dca7',1,1,200,'logs/01a20d9d-67e3-750d-bc44-007baa26dca7/01a20d9d-68c0-716f-873d-37ab5b98797c');
INSERT INTO job_log_archives VALUES(X'01a20d9d67e3750dbc44007baa26dca7',1,201,230,'logs/01a20d9d-67e3-750d-bc44-007baa26dca7/01a20d9d-68ee-72f8-ae75-3662fd75ac82');
INSERT INTO job_log_archives VALUES(X'01a20d9d683376d19b69f355338f8783',1,1,5,'logs/01a20d9d-6833-76d1-9b69-f355338f8783/01a20d9d-68f8-723d-8158-b9e0b9f5d11a');
CREATE TABLE plan_files (
    job_id UUID PRIMARY KEY REFERENCES provision_jobs (id) ON DELETE CASCADE,
    blob TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
INSERT INTO plan_files VALUES(X'01a20d9d67e3750dbc44007baa26dca7','plans/01a20d9d-67e3-750d-bc44-007baa26dca7/01a20d9d-67f6-709a-ab45-af7efa040885','d06b66c901ac6fe41a5e87695ebf603902e83e33298013b0cf3df838fa62eefd',19,'2026-03-01T12:00:00.123456+00:00');
CREATE TABLE plans (
    job_id UUID PRIMARY KEY REFERENCES provision_jobs (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    basis JSONB NOT NULL,
    summary JSONB NOT NULL,
    has_changes BOOLEAN NOT NULL,
    file_sha256 TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
INSERT INTO plans VALUES(X'01a20d9d67e3750dbc44007baa26dca7','1093f17e4d8a7288714a6f9c11aeb55c4360a8749410446aa96bbbc077c1f50d','{"snapshot":"ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394","bundle":"bundle","lock_file":"lock","tool":"terraform 1.11.4","identity":"production 1","state_lineage":"","state_serial":0}','{"totals":{"create":12,"update":1,"replace":0,"destroy":0},"components":[]}',1,'d06b66c901ac6fe41a5e87695ebf603902e83e33298013b0cf3df838fa62eefd','2026-03-01T12:00:00.123456+00:00');
CREATE TABLE state_versions (
    id UUID PRIMARY KEY,
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    serial BIGINT NOT NULL,
    lineage TEXT NOT NULL,
    md5 TEXT NOT NULL,
    size BIGINT NOT NULL,
    resources BIGINT NOT NULL,
    blob TEXT NOT NULL,
    job_id UUID REFERENCES provision_jobs (id) ON DELETE SET NULL,
    is_current BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (spec_id, serial, lineage)
);
INSERT INTO state_versions VALUES(X'01a20d9d686b74efab23aa5b902e0576',X'01a20d9d67db73e68b24d352c7771254',1,'a-lineage','5609c21511ac233b49ca669261dc7b03',189,1,'states/01a20d9d-67db-73e6-8b24-d352c7771254/01a20d9d-684a-7228-b322-21293f312a3e',X'01a20d9d683376d19b69f355338f8783',0,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO state_versions VALUES(X'01a20d9d6877722880f23df9c59caa1f',X'01a20d9d67db73e68b24d352c7771254',2,'a-lineage','a4e22fa35cea9f11ca521a4e38b9bb04',189,1,'states/01a20d9d-67db-73e6-8b24-d352c7771254/01a20d9d-686e-777f-94ca-a7aafe8b1025',X'01a20d9d683376d19b69f355338f8783',0,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO state_versions VALUES(X'01a20d9d688a7202b9c2be0a95210dba',X'01a20d9d67db73e68b24d352c7771254',3,'a-lineage','ecc522682851c8ad4a9fa52f4c24b416',189,1,'states/01a20d9d-67db-73e6-8b24-d352c7771254/01a20d9d-687e-723e-9847-199764bce80e',X'01a20d9d683376d19b69f355338f8783',1,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO state_versions VALUES(X'01a20d9d691b717e9a46be52b9d39313',X'01a20d9d690d71f788a57594637ea338',7,'a-lineage','2df8c1205b4ce76fa94ae2138c0f0d0f',189,1,'states/01a20d9d-690d-71f7-88a5-7594637ea338/01a20d9d-6913-762c-a4c2-af1ed1d80147',X'01a20d9d690f775685fc1a1086f76dbd',1,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO state_versions VALUES(X'01a20d9d693a73279320c0bfc221c76c',X'01a20d9d692d75d1981ebbe53c07264d',1,'a-lineage','5609c21511ac233b49ca669261dc7b03',189,1,'states/01a20d9d-692d-75d1-981e-bbe53c07264d/01a20d9d-6933-71fa-ae41-0824e7cc80e7',X'01a20d9d692f7227baa293400dcb74d7',1,'2026-03-01T12:00:00.123456+00:00');
CREATE TABLE state_locks (
    spec_id UUID PRIMARY KEY REFERENCES specs (id) ON DELETE CASCADE,
    lock_id TEXT NOT NULL,
    info JSONB NOT NULL,
    job_id UUID REFERENCES provision_jobs (id) ON DELETE SET NULL,
    attempt BIGINT,
    created_at TIMESTAMPTZ NOT NULL
);
INSERT INTO state_locks VALUES(X'01a20d9d690d71f788a57594637ea338','lock-of-api','{"ID":"lock-of-api","Operation":"OperationTypeApply","Who":"ada@host"}',X'01a20d9d690f775685fc1a1086f76dbd',1,'2026-03-01T12:00:00.123456+00:00');
INSERT INTO state_locks VALUES(X'01a20d9d692d75d1981ebbe53c07264d','lock-of-busy','{"ID":"lock-of-busy","Operation":"OperationTypeApply","Who":"ada@host"}',X'01a20d9d692f7227baa293400dcb74d7',1,'2026-03-01T12:00:00.123456+00:00');
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TIMESTAMPTZ NOT NULL,
    spec_id UUID,
    job_id UUID,
    change JSONB NOT NULL
);
INSERT INTO events VALUES(1,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"revision_added","revision":1}');
INSERT INTO events VALUES(2,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"PENDING","done":0,"total":0}');
INSERT INTO events VALUES(3,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"component_changed","component":{"kind":"database","name":"orders"},"status":"PENDING","done":0,"total":0}');
INSERT INTO events VALUES(4,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d67e3750dbc44007baa26dca7','{"type":"job_changed","job_type":"PLAN","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(5,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d67e3750dbc44007baa26dca7','{"type":"job_changed","job_type":"PLAN","status":"CLAIMED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(6,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d67e3750dbc44007baa26dca7','{"type":"job_changed","job_type":"PLAN","status":"PROCESSING","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(7,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d67e3750dbc44007baa26dca7','{"type":"job_changed","job_type":"PLAN","status":"SUCCESS","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(8,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"spec_changed","status":"QUEUED"}');
INSERT INTO events VALUES(9,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d683376d19b69f355338f8783','{"type":"job_changed","job_type":"DEPLOY","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(10,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d683376d19b69f355338f8783','{"type":"job_changed","job_type":"DEPLOY","status":"CLAIMED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(11,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d683376d19b69f355338f8783','{"type":"job_changed","job_type":"DEPLOY","status":"PROCESSING","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(12,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"spec_changed","status":"PROVISIONING"}');
INSERT INTO events VALUES(13,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"CREATING","done":1,"total":2}');
INSERT INTO events VALUES(14,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"ACTIVE","done":1,"total":2}');
INSERT INTO events VALUES(15,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"component_changed","component":{"kind":"database","name":"orders"},"status":"CREATING","done":1,"total":2}');
INSERT INTO events VALUES(16,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"component_changed","component":{"kind":"database","name":"orders"},"status":"ACTIVE","done":1,"total":2}');
INSERT INTO events VALUES(17,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',X'01a20d9d683376d19b69f355338f8783','{"type":"job_changed","job_type":"DEPLOY","status":"SUCCESS","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(18,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"spec_changed","status":"ACTIVE"}');
INSERT INTO events VALUES(19,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d67db73e68b24d352c7771254',NULL,'{"type":"revision_added","revision":2}');
INSERT INTO events VALUES(20,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"revision_added","revision":1}');
INSERT INTO events VALUES(21,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"PENDING","done":0,"total":0}');
INSERT INTO events VALUES(22,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"component_changed","component":{"kind":"database","name":"users"},"status":"PENDING","done":0,"total":0}');
INSERT INTO events VALUES(23,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"spec_changed","status":"QUEUED"}');
INSERT INTO events VALUES(24,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',X'01a20d9d690f775685fc1a1086f76dbd','{"type":"job_changed","job_type":"DEPLOY","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(25,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',X'01a20d9d690f775685fc1a1086f76dbd','{"type":"job_changed","job_type":"DEPLOY","status":"CLAIMED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(26,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',X'01a20d9d690f775685fc1a1086f76dbd','{"type":"job_changed","job_type":"DEPLOY","status":"PROCESSING","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(27,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"spec_changed","status":"PROVISIONING"}');
INSERT INTO events VALUES(28,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"CREATING","done":1,"total":2}');
INSERT INTO events VALUES(29,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"component_changed","component":{"kind":"database","name":"users"},"status":"CREATING","done":1,"total":2}');
INSERT INTO events VALUES(30,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"component_changed","component":{"kind":"database","name":"users"},"status":"FAILED","done":1,"total":2}');
INSERT INTO events VALUES(31,'2026-03-01T12:00:31.123456+00:00',X'01a20d9d690d71f788a57594637ea338',X'01a20d9d690f775685fc1a1086f76dbd','{"type":"job_changed","job_type":"DEPLOY","status":"FAILED","attempt":1,"cancel_requested":false,"failure":{"reason":"runner_lost","message":"the Runner was lost","address":"module.network.aws_vpc.this","hint":"look at the lock"}}');
INSERT INTO events VALUES(32,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',NULL,'{"type":"spec_changed","status":"FAILED"}');
INSERT INTO events VALUES(33,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',X'01a20d9d692075ecb66fc8aa75b6c385','{"type":"job_changed","job_type":"PLAN","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(34,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d690d71f788a57594637ea338',X'01a20d9d692075ecb66fc8aa75b6c385','{"type":"job_changed","job_type":"PLAN","status":"CANCELLED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(35,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',NULL,'{"type":"revision_added","revision":1}');
INSERT INTO events VALUES(36,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6924704abe9123560a6c412d','{"type":"job_changed","job_type":"PLAN","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(37,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6924704abe9123560a6c412d','{"type":"job_changed","job_type":"PLAN","status":"CLAIMED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(38,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6924704abe9123560a6c412d','{"type":"job_changed","job_type":"PLAN","status":"PROCESSING","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(39,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6924704abe9123560a6c412d','{"type":"job_changed","job_type":"PLAN","status":"CANCELLED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(40,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6927739d93395f661eba6d23','{"type":"job_changed","job_type":"PLAN","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(41,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6927739d93395f661eba6d23','{"type":"job_changed","job_type":"PLAN","status":"CLAIMED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(42,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6927739d93395f661eba6d23','{"type":"job_changed","job_type":"PLAN","status":"PROCESSING","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(43,'2026-03-01T12:00:31.123456+00:00',X'01a20d9d692271ee86e8bb55abc49d72',X'01a20d9d6927739d93395f661eba6d23','{"type":"job_changed","job_type":"PLAN","status":"QUEUED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(44,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',NULL,'{"type":"revision_added","revision":1}');
INSERT INTO events VALUES(45,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"PENDING","done":0,"total":0}');
INSERT INTO events VALUES(46,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',NULL,'{"type":"spec_changed","status":"QUEUED"}');
INSERT INTO events VALUES(47,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',X'01a20d9d692f7227baa293400dcb74d7','{"type":"job_changed","job_type":"DEPLOY","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(48,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',X'01a20d9d692f7227baa293400dcb74d7','{"type":"job_changed","job_type":"DEPLOY","status":"CLAIMED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(49,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',X'01a20d9d692f7227baa293400dcb74d7','{"type":"job_changed","job_type":"DEPLOY","status":"PROCESSING","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(50,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',NULL,'{"type":"spec_changed","status":"PROVISIONING"}');
INSERT INTO events VALUES(51,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d692d75d1981ebbe53c07264d',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"CREATING","done":1,"total":2}');
INSERT INTO events VALUES(52,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694071688083f79d2f9b1d90',NULL,'{"type":"revision_added","revision":1}');
INSERT INTO events VALUES(53,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694071688083f79d2f9b1d90',X'01a20d9d6941767a9b56fcd981f13ace','{"type":"job_changed","job_type":"PLAN","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(54,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694071688083f79d2f9b1d90',X'01a20d9d6941767a9b56fcd981f13ace','{"type":"job_changed","job_type":"PLAN","status":"CLAIMED","attempt":1,"cancel_requested":false}');
INSERT INTO events VALUES(55,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694373ecaabb48da4a45dbd7',NULL,'{"type":"revision_added","revision":1}');
INSERT INTO events VALUES(56,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694373ecaabb48da4a45dbd7',NULL,'{"type":"component_changed","component":{"kind":"network","name":"network"},"status":"PENDING","done":0,"total":0}');
INSERT INTO events VALUES(57,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694373ecaabb48da4a45dbd7',NULL,'{"type":"spec_changed","status":"QUEUED"}');
INSERT INTO events VALUES(58,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694373ecaabb48da4a45dbd7',X'01a20d9d69457521b2f19726bb4b54e6','{"type":"job_changed","job_type":"DEPLOY","status":"QUEUED","attempt":0,"cancel_requested":false}');
INSERT INTO events VALUES(59,'2026-03-01T12:00:00.123456+00:00',X'01a20d9d694373ecaabb48da4a45dbd7',X'01a20d9d69467719a5918f0bc7a1d902','{"type":"job_changed","job_type":"PLAN","status":"QUEUED","attempt":0,"cancel_requested":false}');
CREATE TABLE api_tokens (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    expires_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL
);
INSERT INTO api_tokens VALUES(X'01a20d9d67d3727fb13c1bcf0cc2e860','ci','operator','1b158839f8aa339e89bb50b1603e90ec68e0fd5565fe10a7cb32729fddf7070a','2026-05-30T12:00:00.123456+00:00','2026-03-01T12:00:00.123456+00:00');
INSERT INTO api_tokens VALUES(X'01a20d9d67d3727fb13c1bd02d774449','ada','owner','fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029',NULL,'2026-03-01T12:00:00.123456+00:00');
CREATE TABLE idempotency_keys (
    author TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT,
    body BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (author, route, key)
);
INSERT INTO idempotency_keys VALUES('ada','POST /tokens','k-1','hash',201,X'011032306337303961386136353437633830dc2d53140d8082f845871059773821bac5d9947f31ee5ef6b004fc61d1a007f76a3b401025dc6fa6874d7129ec02c20adb9982','2026-03-01T12:00:00.123456+00:00');
CREATE TABLE audit_log (
    id UUID PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    allowed BOOLEAN NOT NULL,
    detail JSONB NOT NULL
);
INSERT INTO audit_log VALUES(X'01a20d9d67d3727fb13c1bd1297e58ae','2026-03-01T12:00:00.123456+00:00','ada','token.create','ci',1,'{"role":"operator","nested":[1,null,"x"]}');
INSERT INTO audit_log VALUES(X'01a20d9d67d3727fb13c1bd2e681e666','2026-03-01T12:00:00.123456+00:00','ada','state.unlock','ci',0,'{"role":"operator","nested":[1,null,"x"]}');
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO settings VALUES('key_check','ARAyMGM3MDlhOGE2NTQ3YzgwSOaEuO16RA3pJaNQdOks0Y9L1QiGrVvzW/EEu13Bs8O3wfA=');
INSERT INTO settings VALUES('a_setting','its value');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('events',59);
CREATE INDEX specs_by_zone ON specs (zone_id, id);
CREATE INDEX specs_by_identity ON specs (identity_id);
CREATE UNIQUE INDEX components_singleton ON components (spec_id, kind)
    WHERE kind IN ('network', 'cluster', 'dns', 'repositories');
CREATE UNIQUE INDEX runners_by_name ON runners (name) WHERE removed_at IS NULL;
CREATE INDEX provision_jobs_line ON provision_jobs (priority DESC, turn, id) WHERE status = 'QUEUED';
CREATE INDEX provision_jobs_of_spec ON provision_jobs (spec_id, id) WHERE status IN ('QUEUED', 'CLAIMED', 'PROCESSING');
CREATE UNIQUE INDEX provision_jobs_one_active ON provision_jobs (spec_id) WHERE status IN ('CLAIMED', 'PROCESSING');
CREATE UNIQUE INDEX provision_jobs_one_mutating ON provision_jobs (spec_id)
    WHERE status IN ('QUEUED', 'CLAIMED', 'PROCESSING')
    AND job_type IN ('BOOTSTRAP', 'DEPLOY', 'DESTROY', 'DEPLOY_WORKER', 'DESTROY_WORKER');
CREATE INDEX provision_jobs_leases ON provision_jobs (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
CREATE INDEX provision_jobs_held ON provision_jobs (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX provision_jobs_by_zone ON provision_jobs (zone_id, id);
CREATE INDEX provision_jobs_by_spec ON provision_jobs (spec_id, id);
CREATE INDEX provision_jobs_by_plan ON provision_jobs (plan_job_id) WHERE plan_job_id IS NOT NULL;
CREATE INDEX provision_jobs_by_retry ON provision_jobs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX provision_jobs_to_compact ON provision_jobs (id)
    WHERE status IN ('SUCCESS', 'FAILED', 'CANCELLED') AND NOT logs_archived;
CREATE INDEX state_versions_by_job ON state_versions (job_id) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX state_versions_current ON state_versions (spec_id) WHERE is_current;
CREATE INDEX events_by_job ON events (job_id, id);
CREATE INDEX events_by_spec ON events (spec_id, id);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CREATE VIEW spec_network AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'network';
CREATE VIEW spec_cluster AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'cluster';
CREATE VIEW spec_dns AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'dns';
CREATE VIEW spec_repositories AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'repositories';
CREATE VIEW spec_databases AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'database';
CREATE VIEW spec_caches AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'cache';
CREATE VIEW spec_queues AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'queue';
CREATE VIEW spec_topics AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'topic';
CREATE VIEW spec_nosql_tables AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'nosql_table';
CREATE VIEW spec_container_registries AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'container_registry';
CREATE VIEW spec_secrets AS SELECT id, spec_id, name, status, status_reason, outputs, outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at FROM components WHERE kind = 'secret';
COMMIT;
