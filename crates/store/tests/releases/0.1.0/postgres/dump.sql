SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.api_tokens (
    id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    token_hash text NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.audit_log (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    allowed boolean NOT NULL,
    detail jsonb NOT NULL
);
CREATE TABLE public.cloud_identities (
    id uuid NOT NULL,
    name text NOT NULL,
    access jsonb NOT NULL,
    revision bigint NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.components (
    id uuid NOT NULL,
    spec_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    status_reason text,
    outputs jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.events (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    spec_id uuid,
    job_id uuid,
    change jsonb NOT NULL
);
ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.idempotency_keys (
    author text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    status bigint,
    body bytea,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.job_attempts (
    job_id uuid NOT NULL,
    attempt bigint NOT NULL,
    runner_id uuid NOT NULL,
    token_hash text NOT NULL,
    last_sequence bigint NOT NULL,
    claimed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);
CREATE TABLE public.job_log_archives (
    job_id uuid NOT NULL,
    attempt bigint NOT NULL,
    first_sequence bigint NOT NULL,
    last_sequence bigint NOT NULL,
    blob text NOT NULL
);
CREATE TABLE public.plan_files (
    job_id uuid NOT NULL,
    blob text NOT NULL,
    sha256 text NOT NULL,
    size bigint NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.plans (
    job_id uuid NOT NULL,
    digest text NOT NULL,
    basis jsonb NOT NULL,
    summary jsonb NOT NULL,
    has_changes boolean NOT NULL,
    file_sha256 text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.provision_job_logs (
    job_id uuid NOT NULL,
    attempt bigint NOT NULL,
    sequence bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    text text NOT NULL
);
CREATE TABLE public.provision_jobs (
    id uuid NOT NULL,
    zone_id uuid NOT NULL,
    spec_id uuid NOT NULL,
    job_type text NOT NULL,
    status text NOT NULL,
    priority bigint NOT NULL,
    turn bigint NOT NULL,
    revision bigint NOT NULL,
    snapshot text NOT NULL,
    snapshot_hash text NOT NULL,
    identity_id uuid NOT NULL,
    plan_job_id uuid,
    retry_of uuid,
    destroy boolean NOT NULL,
    required_labels jsonb NOT NULL,
    assigned_runner_id uuid,
    former_status text,
    runner_id uuid,
    attempt bigint NOT NULL,
    lease_expires_at timestamp with time zone,
    not_before timestamp with time zone,
    cancel_requested boolean NOT NULL,
    step text,
    done bigint NOT NULL,
    total bigint NOT NULL,
    failure jsonb,
    logs_archived boolean DEFAULT false NOT NULL,
    author text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone
);
CREATE TABLE public.runners (
    id uuid NOT NULL,
    name text NOT NULL,
    labels jsonb NOT NULL,
    token_hash text NOT NULL,
    version text,
    tool text,
    last_seen_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone
);
CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);
CREATE TABLE public.settings (
    name text NOT NULL,
    value text NOT NULL
);
CREATE VIEW public.spec_caches AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'cache'::text);
CREATE VIEW public.spec_cluster AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'cluster'::text);
CREATE VIEW public.spec_container_registries AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'container_registry'::text);
CREATE VIEW public.spec_databases AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'database'::text);
CREATE VIEW public.spec_dns AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'dns'::text);
CREATE VIEW public.spec_network AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'network'::text);
CREATE VIEW public.spec_nosql_tables AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'nosql_table'::text);
CREATE VIEW public.spec_queues AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'queue'::text);
CREATE VIEW public.spec_repositories AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'repositories'::text);
CREATE TABLE public.spec_revisions (
    spec_id uuid NOT NULL,
    number bigint NOT NULL,
    document text NOT NULL,
    hash text NOT NULL,
    author text NOT NULL,
    message text,
    created_at timestamp with time zone NOT NULL
);
CREATE VIEW public.spec_secrets AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'secret'::text);
CREATE VIEW public.spec_topics AS
 SELECT components.id,
    components.spec_id,
    components.name,
    components.status,
    components.status_reason,
    components.outputs,
    (components.outputs ->> 'endpoint'::text) AS endpoint,
    (components.outputs ->> 'arn'::text) AS arn,
    components.created_at,
    components.updated_at
   FROM public.components
  WHERE (components.kind = 'topic'::text);
CREATE TABLE public.specs (
    id uuid NOT NULL,
    zone_id uuid NOT NULL,
    name text NOT NULL,
    stage text NOT NULL,
    provider text NOT NULL,
    region text NOT NULL,
    identity_id uuid NOT NULL,
    status text NOT NULL,
    status_reason text,
    revision bigint NOT NULL,
    deployed_revision bigint,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.state_locks (
    spec_id uuid NOT NULL,
    lock_id text NOT NULL,
    info jsonb NOT NULL,
    job_id uuid,
    attempt bigint,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.state_versions (
    id uuid NOT NULL,
    spec_id uuid NOT NULL,
    serial bigint NOT NULL,
    lineage text NOT NULL,
    md5 text NOT NULL,
    size bigint NOT NULL,
    resources bigint NOT NULL,
    blob text NOT NULL,
    job_id uuid,
    is_current boolean NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.zones (
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    created_at timestamp with time zone NOT NULL
);
INSERT INTO public.api_tokens VALUES ('01a20d9d-6b07-71f9-87b3-3fe57f5c5396', 'ci', 'operator', '1b158839f8aa339e89bb50b1603e90ec68e0fd5565fe10a7cb32729fddf7070a', '2026-05-30 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.api_tokens VALUES ('01a20d9d-6b08-718e-b19c-6a611fb7c5a0', 'ada', 'owner', 'fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029', NULL, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.audit_log VALUES ('01a20d9d-6b09-75d2-b69b-2402a7f6497e', '2026-03-01 12:00:00.123456+00', 'ada', 'token.create', 'ci', true, '{"role": "operator", "nested": [1, null, "x"]}');
INSERT INTO public.audit_log VALUES ('01a20d9d-6b09-75d2-b69b-2403fc64e546', '2026-03-01 12:00:00.123456+00', 'ada', 'state.unlock', 'ci', false, '{"role": "operator", "nested": [1, null, "x"]}');
INSERT INTO public.cloud_identities VALUES ('01a20d9d-6aff-74fd-8d96-439643a8c99e', 'sandbox', '{"type": "sandbox"}', 1, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.cloud_identities VALUES ('01a20d9d-6b04-720a-a38f-114fe4cdab91', 'production', '{"type": "aws", "role_arn": "arn:aws:iam::123456789012:role/alethia", "external_id": "x-1"}', 1, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.components VALUES ('01a20d9d-6b17-77f2-85ba-873fa04dc9d0', '01a20d9d-6b12-730f-a302-f60091e74d8e', 'network', 'network', 'ACTIVE', NULL, '{"ports": [80, 443], "endpoint": "network.example.com"}', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.components VALUES ('01a20d9d-6b18-7472-a8e4-a32e272cc5c4', '01a20d9d-6b12-730f-a302-f60091e74d8e', 'database', 'orders', 'ACTIVE', NULL, '{"ports": [80, 443], "endpoint": "orders.example.com"}', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.components VALUES ('01a20d9d-6c03-75e2-8c1f-e8141bc0363a', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', 'network', 'network', 'CREATING', NULL, '{"ports": [80, 443], "endpoint": "network.example.com"}', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.components VALUES ('01a20d9d-6c03-75e2-8c1f-e815bbc6409d', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', 'database', 'users', 'FAILED', NULL, '{"ports": [80, 443], "endpoint": "users.example.com"}', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.components VALUES ('01a20d9d-6c67-7786-b541-328744c4decd', '01a20d9d-6c66-72fc-837e-c95e4304ed56', 'network', 'network', 'CREATING', NULL, '{"ports": [80, 443], "endpoint": "network.example.com"}', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.components VALUES ('01a20d9d-6c8c-7624-8e1f-21b6f3f89397', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', 'network', 'network', 'PENDING', NULL, '{}', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (1, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"type": "revision_added", "revision": 1}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (2, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"done": 0, "type": "component_changed", "total": 0, "status": "PENDING", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (3, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"done": 0, "type": "component_changed", "total": 0, "status": "PENDING", "component": {"kind": "database", "name": "orders"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (4, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b1f-7695-b1d1-2cb13862b51a', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (5, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b1f-7695-b1d1-2cb13862b51a', '{"type": "job_changed", "status": "CLAIMED", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (6, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b1f-7695-b1d1-2cb13862b51a', '{"type": "job_changed", "status": "PROCESSING", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (7, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b1f-7695-b1d1-2cb13862b51a', '{"type": "job_changed", "status": "SUCCESS", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (8, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"type": "spec_changed", "status": "QUEUED"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (9, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b42-733a-853c-59f3c1cc84f3', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (10, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b42-733a-853c-59f3c1cc84f3', '{"type": "job_changed", "status": "CLAIMED", "attempt": 1, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (11, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b42-733a-853c-59f3c1cc84f3', '{"type": "job_changed", "status": "PROCESSING", "attempt": 1, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (12, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"type": "spec_changed", "status": "PROVISIONING"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (13, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "CREATING", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (14, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "ACTIVE", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (15, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "CREATING", "component": {"kind": "database", "name": "orders"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (16, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "ACTIVE", "component": {"kind": "database", "name": "orders"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (17, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b42-733a-853c-59f3c1cc84f3', '{"type": "job_changed", "status": "SUCCESS", "attempt": 1, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (18, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"type": "spec_changed", "status": "ACTIVE"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (19, '2026-03-01 12:00:00.123456+00', '01a20d9d-6b12-730f-a302-f60091e74d8e', NULL, '{"type": "revision_added", "revision": 2}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (20, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"type": "revision_added", "revision": 1}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (21, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"done": 0, "type": "component_changed", "total": 0, "status": "PENDING", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (22, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"done": 0, "type": "component_changed", "total": 0, "status": "PENDING", "component": {"kind": "database", "name": "users"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (23, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"type": "spec_changed", "status": "QUEUED"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (24, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', '01a20d9d-6c06-77af-a0e7-3a373f6c915f', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (25, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', '01a20d9d-6c06-77af-a0e7-3a373f6c915f', '{"type": "job_changed", "status": "CLAIMED", "attempt": 1, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (26, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', '01a20d9d-6c06-77af-a0e7-3a373f6c915f', '{"type": "job_changed", "status": "PROCESSING", "attempt": 1, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (27, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"type": "spec_changed", "status": "PROVISIONING"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (28, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "CREATING", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (29, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "CREATING", "component": {"kind": "database", "name": "users"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (30, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "FAILED", "component": {"kind": "database", "name": "users"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (31, '2026-03-01 12:00:31.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', '01a20d9d-6c06-77af-a0e7-3a373f6c915f', '{"type": "job_changed", "status": "FAILED", "attempt": 1, "failure": {"hint": "look at the lock", "reason": "runner_lost", "address": "module.network.aws_vpc.this", "message": "the Runner was lost"}, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (32, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', NULL, '{"type": "spec_changed", "status": "FAILED"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (33, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', '01a20d9d-6c43-7230-9666-e151b5734f1b', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (34, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', '01a20d9d-6c43-7230-9666-e151b5734f1b', '{"type": "job_changed", "status": "CANCELLED", "attempt": 0, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (35, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', NULL, '{"type": "revision_added", "revision": 1}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (36, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c49-7694-b70e-94cb0b654cbe', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (37, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c49-7694-b70e-94cb0b654cbe', '{"type": "job_changed", "status": "CLAIMED", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (38, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c49-7694-b70e-94cb0b654cbe', '{"type": "job_changed", "status": "PROCESSING", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (39, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c49-7694-b70e-94cb0b654cbe', '{"type": "job_changed", "status": "CANCELLED", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (40, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (41, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', '{"type": "job_changed", "status": "CLAIMED", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (42, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', '{"type": "job_changed", "status": "PROCESSING", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (44, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', NULL, '{"type": "revision_added", "revision": 1}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (43, '2026-03-01 12:00:31.123456+00', '01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', '{"type": "job_changed", "status": "QUEUED", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (47, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', '01a20d9d-6c6a-7260-9366-b1ce5c152fc2', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (58, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', '01a20d9d-6c8e-7433-8cf5-bb6d271e886c', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (45, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', NULL, '{"done": 0, "type": "component_changed", "total": 0, "status": "PENDING", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (57, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', NULL, '{"type": "spec_changed", "status": "QUEUED"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (46, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', NULL, '{"type": "spec_changed", "status": "QUEUED"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (54, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c85-76d1-92aa-8a892cc0dc9b', '01a20d9d-6c87-7396-bbd7-049abae89e5b', '{"type": "job_changed", "status": "CLAIMED", "attempt": 1, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (48, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', '01a20d9d-6c6a-7260-9366-b1ce5c152fc2', '{"type": "job_changed", "status": "CLAIMED", "attempt": 1, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (53, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c85-76d1-92aa-8a892cc0dc9b', '01a20d9d-6c87-7396-bbd7-049abae89e5b', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (49, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', '01a20d9d-6c6a-7260-9366-b1ce5c152fc2', '{"type": "job_changed", "status": "PROCESSING", "attempt": 1, "job_type": "DEPLOY", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (52, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c85-76d1-92aa-8a892cc0dc9b', NULL, '{"type": "revision_added", "revision": 1}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (59, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', '01a20d9d-6c90-769a-8d69-ad024ab09827', '{"type": "job_changed", "status": "QUEUED", "attempt": 0, "job_type": "PLAN", "cancel_requested": false}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (50, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', NULL, '{"type": "spec_changed", "status": "PROVISIONING"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (51, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c66-72fc-837e-c95e4304ed56', NULL, '{"done": 1, "type": "component_changed", "total": 2, "status": "CREATING", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (55, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', NULL, '{"type": "revision_added", "revision": 1}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (56, '2026-03-01 12:00:00.123456+00', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', NULL, '{"done": 0, "type": "component_changed", "total": 0, "status": "PENDING", "component": {"kind": "network", "name": "network"}}');
INSERT INTO public.idempotency_keys VALUES ('ada', 'POST /tokens', 'k-1', 'hash', 201, '\x0110323063373039613861363534376338304d5f1dd731431997ab75ed734dd7a6c2cddbc9c4e90563a5ec903a1ad9c8e1ba66fb1a54647c5d83b8fef27a587e659e60e999', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.job_attempts VALUES ('01a20d9d-6b1f-7695-b1d1-2cb13862b51a', 1, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 'bcd230b32ae9428e0d518daf2a298fd63a6fa14a99c701803d7db91e3efcf9e7', 230, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.job_attempts VALUES ('01a20d9d-6b42-733a-853c-59f3c1cc84f3', 1, '01a20d9d-6b05-749a-8f2e-8eb10753294d', '71ea617e1feb3722ac0696ea85eaf40169d7cda9651db462c47bec7135fbf542', 5, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.job_attempts VALUES ('01a20d9d-6c06-77af-a0e7-3a373f6c915f', 1, '01a20d9d-6b05-749a-8f2e-8eb10753294d', '45d3432d3f7790d258713e36baa3bbe548fc6f7a68d60c8fca1da5ef78792e60', 3, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:31.123456+00');
INSERT INTO public.job_attempts VALUES ('01a20d9d-6c49-7694-b70e-94cb0b654cbe', 1, '01a20d9d-6b05-749a-8f2e-8eb10753294d', '800a7bb9fa0edcf7bb290809432a4466a158b4201431450ef5083c4a1b908e1d', 2, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.job_attempts VALUES ('01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', 1, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 'e8ac669980a9b2e9fc07fc56a0d7ef4686efbaecccbe31fd4ea82fcc31c446e6', 4, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:31.123456+00');
INSERT INTO public.job_attempts VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, '01a20d9d-6b05-749a-8f2e-8eb10753294d', '3351c8906fd010937eeca97e7fa6f237abc1732f64e844f0531b625cead794fa', 6, '2026-03-01 12:00:00.123456+00', NULL);
INSERT INTO public.job_attempts VALUES ('01a20d9d-6c87-7396-bbd7-049abae89e5b', 1, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 'fba3d97146172434e2d43d2d6ce0593e476db0b18432484c8f98111d6a16967d', 0, '2026-03-01 12:00:00.123456+00', NULL);
INSERT INTO public.job_log_archives VALUES ('01a20d9d-6b1f-7695-b1d1-2cb13862b51a', 1, 1, 200, 'logs/01a20d9d-6b1f-7695-b1d1-2cb13862b51a/01a20d9d-6ba7-7391-b1be-b408246945b9');
INSERT INTO public.job_log_archives VALUES ('01a20d9d-6b1f-7695-b1d1-2cb13862b51a', 1, 201, 230, 'logs/01a20d9d-6b1f-7695-b1d1-2cb13862b51a/01a20d9d-6bc2-75da-b0ca-ae0c284f1da8');
INSERT INTO public.job_log_archives VALUES ('01a20d9d-6b42-733a-853c-59f3c1cc84f3', 1, 1, 5, 'logs/01a20d9d-6b42-733a-853c-59f3c1cc84f3/01a20d9d-6be9-71b1-9407-0b4d0954ef79');
INSERT INTO public.plan_files VALUES ('01a20d9d-6b1f-7695-b1d1-2cb13862b51a', 'plans/01a20d9d-6b1f-7695-b1d1-2cb13862b51a/01a20d9d-6b25-762b-9ce9-b4ff191428d7', 'd06b66c901ac6fe41a5e87695ebf603902e83e33298013b0cf3df838fa62eefd', 19, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.plans VALUES ('01a20d9d-6b1f-7695-b1d1-2cb13862b51a', '1093f17e4d8a7288714a6f9c11aeb55c4360a8749410446aa96bbbc077c1f50d', '{"tool": "terraform 1.11.4", "bundle": "bundle", "identity": "production 1", "snapshot": "ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394", "lock_file": "lock", "state_serial": 0, "state_lineage": ""}', '{"totals": {"create": 12, "update": 1, "destroy": 0, "replace": 0}, "components": []}', true, 'd06b66c901ac6fe41a5e87695ebf603902e83e33298013b0cf3df838fa62eefd', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c06-77af-a0e7-3a373f6c915f', 1, 1, '2026-03-01 12:00:00.124456+00', 'line 1: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c06-77af-a0e7-3a373f6c915f', 1, 2, '2026-03-01 12:00:00.125456+00', 'line 2: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c06-77af-a0e7-3a373f6c915f', 1, 3, '2026-03-01 12:00:00.126456+00', 'line 3: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c49-7694-b70e-94cb0b654cbe', 1, 1, '2026-03-01 12:00:00.124456+00', 'line 1: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c49-7694-b70e-94cb0b654cbe', 1, 2, '2026-03-01 12:00:00.125456+00', 'line 2: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', 1, 1, '2026-03-01 12:00:00.124456+00', 'line 1: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', 1, 2, '2026-03-01 12:00:00.125456+00', 'line 2: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', 1, 3, '2026-03-01 12:00:00.126456+00', 'line 3: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', 1, 4, '2026-03-01 12:00:00.127456+00', 'line 4: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, 1, '2026-03-01 12:00:00.124456+00', 'line 1: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, 2, '2026-03-01 12:00:00.125456+00', 'line 2: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, 3, '2026-03-01 12:00:00.126456+00', 'line 3: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, 4, '2026-03-01 12:00:00.127456+00', 'line 4: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, 5, '2026-03-01 12:00:00.128456+00', 'line 5: it''s "so" — ü
');
INSERT INTO public.provision_job_logs VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, 6, '2026-03-01 12:00:00.129456+00', 'line 6: it''s "so" — ü
');
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6b1f-7695-b1d1-2cb13862b51a', '01a20d9d-6b03-7355-b27c-96f78b62653b', '01a20d9d-6b12-730f-a302-f60091e74d8e', 'PLAN', 'SUCCESS', 10, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '[]', NULL, NULL, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 1, NULL, NULL, false, NULL, 0, 0, NULL, true, 'ada', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6b42-733a-853c-59f3c1cc84f3', '01a20d9d-6b03-7355-b27c-96f78b62653b', '01a20d9d-6b12-730f-a302-f60091e74d8e', 'DEPLOY', 'SUCCESS', 20, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', '01a20d9d-6b1f-7695-b1d1-2cb13862b51a', NULL, false, '[]', NULL, NULL, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 1, NULL, NULL, false, NULL, 0, 0, NULL, true, 'ada', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c06-77af-a0e7-3a373f6c915f', '01a20d9d-6b03-7355-b27c-96f78b62653b', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', 'DEPLOY', 'FAILED', 20, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '[]', NULL, NULL, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 1, NULL, NULL, false, NULL, 0, 0, '{"hint": "look at the lock", "reason": "runner_lost", "address": "module.network.aws_vpc.this", "message": "the Runner was lost"}', false, 'ada', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:31.123456+00');
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c43-7230-9666-e151b5734f1b', '01a20d9d-6b03-7355-b27c-96f78b62653b', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', 'PLAN', 'CANCELLED', 10, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, '01a20d9d-6c06-77af-a0e7-3a373f6c915f', false, '[]', NULL, NULL, NULL, 0, NULL, NULL, false, NULL, 0, 0, NULL, false, 'ada', '2026-03-01 12:00:00.123456+00', NULL, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c49-7694-b70e-94cb0b654cbe', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', '01a20d9d-6c47-7085-b092-d43f1f9daabf', 'PLAN', 'CANCELLED', 10, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '[]', NULL, NULL, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 1, NULL, NULL, false, NULL, 0, 0, NULL, false, 'ada', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c5d-72dd-9a68-aee7c042b9a1', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', '01a20d9d-6c47-7085-b092-d43f1f9daabf', 'PLAN', 'QUEUED', 10, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '[]', NULL, NULL, NULL, 1, NULL, '2026-03-01 12:10:00.123456+00', false, NULL, 0, 0, NULL, false, 'ada', '2026-03-01 12:00:00.123456+00', NULL, NULL);
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c6a-7260-9366-b1ce5c152fc2', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', '01a20d9d-6c66-72fc-837e-c95e4304ed56', 'DEPLOY', 'PROCESSING', 20, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '[]', NULL, NULL, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 1, '2026-03-01 12:00:30.123456+00', NULL, false, NULL, 0, 0, NULL, false, 'ada', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00', NULL);
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c87-7396-bbd7-049abae89e5b', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', '01a20d9d-6c85-76d1-92aa-8a892cc0dc9b', 'PLAN', 'CLAIMED', 10, 1, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '[]', NULL, NULL, '01a20d9d-6b05-749a-8f2e-8eb10753294d', 1, '2026-03-01 12:00:30.123456+00', NULL, false, NULL, 0, 0, NULL, false, 'ada', '2026-03-01 12:00:00.123456+00', NULL, NULL);
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c8e-7433-8cf5-bb6d271e886c', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', 'DEPLOY', 'QUEUED', 20, 0, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '["gpu"]', NULL, 'DRAFT', NULL, 0, NULL, NULL, false, NULL, 0, 0, NULL, false, 'ada', '2026-03-01 12:00:00.123456+00', NULL, NULL);
INSERT INTO public.provision_jobs VALUES ('01a20d9d-6c90-769a-8d69-ad024ab09827', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', '01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', 'PLAN', 'QUEUED', 10, 1, 1, '{"name":"frozen","b":1,"a":2}', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '01a20d9d-6b04-720a-a38f-114fe4cdab91', NULL, NULL, false, '[]', '01a20d9d-6b05-749a-8f2e-8eb10753294d', NULL, NULL, 0, NULL, NULL, false, NULL, 0, 0, NULL, false, 'ada', '2026-03-01 12:00:00.123456+00', NULL, NULL);
INSERT INTO public.runners VALUES ('01a20d9d-6b05-749a-8f2e-8eb10753294d', 'blue', '["gpu", "eu"]', '16477688c0e00699c6cfa4497a3612d7e83c532062b64b250fed8908128ed548', '0.1.0', 'terraform 1.11.4', '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00', NULL);
INSERT INTO public.runners VALUES ('01a20d9d-6b06-70e2-88d3-19d2b85b4368', 'old', '[]', 'cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4', NULL, NULL, NULL, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.seaql_migrations VALUES ('0001_first', 1795524750);
INSERT INTO public.settings VALUES ('key_check', 'ARAyMGM3MDlhOGE2NTQ3Yzgwdhxb3d09JTQq63zO6zn/esSYQDSkiBg+VInorwE/2fdlfZM=');
INSERT INTO public.settings VALUES ('a_setting', 'its value');
INSERT INTO public.spec_revisions VALUES ('01a20d9d-6b12-730f-a302-f60091e74d8e', 1, '{"zone":"web","name":"shop","b":1.5,"a":{"z":1,"y":[true,null]}}', 'f4e8be7e01ded8a936213233ba3a67c778f64084a885e5fb9b7a7e8aef281804', 'ada', 'number 1', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.spec_revisions VALUES ('01a20d9d-6b12-730f-a302-f60091e74d8e', 2, '{"zone":"web","name":"shop","b":1.5,"a":{"z":2,"y":[true,null]}}', '34711179d65ab65a62e510154ba4e98d09850b363f5031cd9df386bdf2630d5b', 'ada', 'number 2', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.spec_revisions VALUES ('01a20d9d-6c02-74f4-a974-2bab8db7b4b9', 1, '{"zone":"web","name":"api","b":1.5,"a":{"z":1,"y":[true,null]}}', 'c85c7d4632c836b635c4e2d31b10e2b1859b02e70d33c518dd7870cb7187fb18', 'ada', 'number 1', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.spec_revisions VALUES ('01a20d9d-6c47-7085-b092-d43f1f9daabf', 1, '{"zone":"web","name":"cache","b":1.5,"a":{"z":1,"y":[true,null]}}', '196eb505713db9d166c9a78ff6e6e5eb889b502bd234b3e91e6a1bd693943e18', 'ada', 'number 1', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.spec_revisions VALUES ('01a20d9d-6c66-72fc-837e-c95e4304ed56', 1, '{"zone":"web","name":"busy","b":1.5,"a":{"z":1,"y":[true,null]}}', '5a9289315e73dda19aab19dc78550ab95bb6b60c5627aa7e78c7620df45dd26e', 'ada', 'number 1', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.spec_revisions VALUES ('01a20d9d-6c85-76d1-92aa-8a892cc0dc9b', 1, '{"zone":"web","name":"claimed","b":1.5,"a":{"z":1,"y":[true,null]}}', '7d3101ecf69bea1d499f8b400f3d6c29b828c66e5402c409c3e37b3933227af0', 'ada', 'number 1', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.spec_revisions VALUES ('01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', 1, '{"zone":"web","name":"waiting","b":1.5,"a":{"z":1,"y":[true,null]}}', 'b680d83a4b43738cf36c6b8e965d8b32d3b0fd2e1b643ee59cf4e0b787f394ee', 'ada', 'number 1', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.specs VALUES ('01a20d9d-6b12-730f-a302-f60091e74d8e', '01a20d9d-6b03-7355-b27c-96f78b62653b', 'shop', 'production', 'aws', 'eu-central-1', '01a20d9d-6b04-720a-a38f-114fe4cdab91', 'ACTIVE', NULL, 2, 1, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.specs VALUES ('01a20d9d-6c02-74f4-a974-2bab8db7b4b9', '01a20d9d-6b03-7355-b27c-96f78b62653b', 'api', 'production', 'aws', 'eu-central-1', '01a20d9d-6b04-720a-a38f-114fe4cdab91', 'FAILED', 'the Runner was lost', 1, NULL, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.specs VALUES ('01a20d9d-6c47-7085-b092-d43f1f9daabf', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', 'cache', 'production', 'aws', 'eu-central-1', '01a20d9d-6b04-720a-a38f-114fe4cdab91', 'DRAFT', NULL, 1, NULL, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.specs VALUES ('01a20d9d-6c66-72fc-837e-c95e4304ed56', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', 'busy', 'production', 'aws', 'eu-central-1', '01a20d9d-6b04-720a-a38f-114fe4cdab91', 'PROVISIONING', NULL, 1, NULL, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.specs VALUES ('01a20d9d-6c85-76d1-92aa-8a892cc0dc9b', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', 'claimed', 'production', 'aws', 'eu-central-1', '01a20d9d-6b04-720a-a38f-114fe4cdab91', 'DRAFT', NULL, 1, NULL, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.specs VALUES ('01a20d9d-6c8c-7624-8e1f-21b540a8f1cc', '01a20d9d-6afe-7791-ae57-bd02ecafcbd0', 'waiting', 'production', 'aws', 'eu-central-1', '01a20d9d-6b04-720a-a38f-114fe4cdab91', 'QUEUED', NULL, 1, NULL, '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00');
INSERT INTO public.state_locks VALUES ('01a20d9d-6c02-74f4-a974-2bab8db7b4b9', 'lock-of-api', '{"ID": "lock-of-api", "Who": "ada@host", "Operation": "OperationTypeApply"}', '01a20d9d-6c06-77af-a0e7-3a373f6c915f', 1, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.state_locks VALUES ('01a20d9d-6c66-72fc-837e-c95e4304ed56', 'lock-of-busy', '{"ID": "lock-of-busy", "Who": "ada@host", "Operation": "OperationTypeApply"}', '01a20d9d-6c6a-7260-9366-b1ce5c152fc2', 1, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.state_versions VALUES ('01a20d9d-6b5e-7229-8876-e2906f1048f8', '01a20d9d-6b12-730f-a302-f60091e74d8e', 1, 'a-lineage', '5609c21511ac233b49ca669261dc7b03', 189, 1, 'states/01a20d9d-6b12-730f-a302-f60091e74d8e/01a20d9d-6b4b-75d5-9495-16d4a8ee5ad0', '01a20d9d-6b42-733a-853c-59f3c1cc84f3', false, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.state_versions VALUES ('01a20d9d-6b68-706a-836d-44e34191db26', '01a20d9d-6b12-730f-a302-f60091e74d8e', 2, 'a-lineage', 'a4e22fa35cea9f11ca521a4e38b9bb04', 189, 1, 'states/01a20d9d-6b12-730f-a302-f60091e74d8e/01a20d9d-6b5f-7712-b6a6-805b871fab93', '01a20d9d-6b42-733a-853c-59f3c1cc84f3', false, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.state_versions VALUES ('01a20d9d-6b7c-76e4-a423-1fd4cdb9beb2', '01a20d9d-6b12-730f-a302-f60091e74d8e', 3, 'a-lineage', 'ecc522682851c8ad4a9fa52f4c24b416', 189, 1, 'states/01a20d9d-6b12-730f-a302-f60091e74d8e/01a20d9d-6b69-7754-834f-8589609bb2a3', '01a20d9d-6b42-733a-853c-59f3c1cc84f3', true, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.state_versions VALUES ('01a20d9d-6c39-7608-be06-9f52990d27fd', '01a20d9d-6c02-74f4-a974-2bab8db7b4b9', 7, 'a-lineage', '2df8c1205b4ce76fa94ae2138c0f0d0f', 189, 1, 'states/01a20d9d-6c02-74f4-a974-2bab8db7b4b9/01a20d9d-6c0d-7550-9dd4-e76cbd3186d6', '01a20d9d-6c06-77af-a0e7-3a373f6c915f', true, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.state_versions VALUES ('01a20d9d-6c7c-7167-9f69-97170f49013a', '01a20d9d-6c66-72fc-837e-c95e4304ed56', 1, 'a-lineage', '5609c21511ac233b49ca669261dc7b03', 189, 1, 'states/01a20d9d-6c66-72fc-837e-c95e4304ed56/01a20d9d-6c70-747a-b46d-7458a22c566f', '01a20d9d-6c6a-7260-9366-b1ce5c152fc2', true, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.zones VALUES ('01a20d9d-6afe-7791-ae57-bd02ecafcbd0', 'default', NULL, '2026-03-01 12:00:00.123456+00');
INSERT INTO public.zones VALUES ('01a20d9d-6b03-7355-b27c-96f78b62653b', 'web', 'shops, "quoted" and 日本', '2026-03-01 12:00:00.123456+00');
SELECT pg_catalog.setval('public.events_id_seq', 59, true);
ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_name_key UNIQUE (name);
ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.cloud_identities
    ADD CONSTRAINT cloud_identities_name_key UNIQUE (name);
ALTER TABLE ONLY public.cloud_identities
    ADD CONSTRAINT cloud_identities_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.components
    ADD CONSTRAINT components_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.components
    ADD CONSTRAINT components_spec_id_kind_name_key UNIQUE (spec_id, kind, name);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (author, route, key);
ALTER TABLE ONLY public.job_attempts
    ADD CONSTRAINT job_attempts_pkey PRIMARY KEY (job_id, attempt);
ALTER TABLE ONLY public.job_attempts
    ADD CONSTRAINT job_attempts_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.job_log_archives
    ADD CONSTRAINT job_log_archives_pkey PRIMARY KEY (job_id, attempt, first_sequence);
ALTER TABLE ONLY public.plan_files
    ADD CONSTRAINT plan_files_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY public.provision_job_logs
    ADD CONSTRAINT provision_job_logs_pkey PRIMARY KEY (job_id, attempt, sequence);
ALTER TABLE ONLY public.provision_jobs
    ADD CONSTRAINT provision_jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.runners
    ADD CONSTRAINT runners_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.runners
    ADD CONSTRAINT runners_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.spec_revisions
    ADD CONSTRAINT spec_revisions_pkey PRIMARY KEY (spec_id, number);
ALTER TABLE ONLY public.specs
    ADD CONSTRAINT specs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.specs
    ADD CONSTRAINT specs_zone_id_name_key UNIQUE (zone_id, name);
ALTER TABLE ONLY public.state_locks
    ADD CONSTRAINT state_locks_pkey PRIMARY KEY (spec_id);
ALTER TABLE ONLY public.state_versions
    ADD CONSTRAINT state_versions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.state_versions
    ADD CONSTRAINT state_versions_spec_id_serial_lineage_key UNIQUE (spec_id, serial, lineage);
ALTER TABLE ONLY public.zones
    ADD CONSTRAINT zones_name_key UNIQUE (name);
ALTER TABLE ONLY public.zones
    ADD CONSTRAINT zones_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX components_singleton ON public.components USING btree (spec_id, kind) WHERE (kind = ANY (ARRAY['network'::text, 'cluster'::text, 'dns'::text, 'repositories'::text]));
CREATE INDEX events_by_job ON public.events USING btree (job_id, id);
CREATE INDEX events_by_spec ON public.events USING btree (spec_id, id);
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);
CREATE INDEX provision_jobs_by_plan ON public.provision_jobs USING btree (plan_job_id) WHERE (plan_job_id IS NOT NULL);
CREATE INDEX provision_jobs_by_retry ON public.provision_jobs USING btree (retry_of) WHERE (retry_of IS NOT NULL);
CREATE INDEX provision_jobs_by_spec ON public.provision_jobs USING btree (spec_id, id);
CREATE INDEX provision_jobs_by_zone ON public.provision_jobs USING btree (zone_id, id);
CREATE INDEX provision_jobs_held ON public.provision_jobs USING btree (not_before) WHERE (not_before IS NOT NULL);
CREATE INDEX provision_jobs_leases ON public.provision_jobs USING btree (lease_expires_at) WHERE (lease_expires_at IS NOT NULL);
CREATE INDEX provision_jobs_line ON public.provision_jobs USING btree (priority DESC, turn, id) WHERE (status = 'QUEUED'::text);
CREATE INDEX provision_jobs_of_spec ON public.provision_jobs USING btree (spec_id, id) WHERE (status = ANY (ARRAY['QUEUED'::text, 'CLAIMED'::text, 'PROCESSING'::text]));
CREATE UNIQUE INDEX provision_jobs_one_active ON public.provision_jobs USING btree (spec_id) WHERE (status = ANY (ARRAY['CLAIMED'::text, 'PROCESSING'::text]));
CREATE UNIQUE INDEX provision_jobs_one_mutating ON public.provision_jobs USING btree (spec_id) WHERE ((status = ANY (ARRAY['QUEUED'::text, 'CLAIMED'::text, 'PROCESSING'::text])) AND (job_type = ANY (ARRAY['BOOTSTRAP'::text, 'DEPLOY'::text, 'DESTROY'::text, 'DEPLOY_WORKER'::text, 'DESTROY_WORKER'::text])));
CREATE INDEX provision_jobs_to_compact ON public.provision_jobs USING btree (id) WHERE ((status = ANY (ARRAY['SUCCESS'::text, 'FAILED'::text, 'CANCELLED'::text])) AND (NOT logs_archived));
CREATE UNIQUE INDEX runners_by_name ON public.runners USING btree (name) WHERE (removed_at IS NULL);
CREATE INDEX specs_by_identity ON public.specs USING btree (identity_id);
CREATE INDEX specs_by_zone ON public.specs USING btree (zone_id, id);
CREATE INDEX state_versions_by_job ON public.state_versions USING btree (job_id) WHERE (job_id IS NOT NULL);
CREATE UNIQUE INDEX state_versions_current ON public.state_versions USING btree (spec_id) WHERE is_current;
ALTER TABLE ONLY public.components
    ADD CONSTRAINT components_spec_id_fkey FOREIGN KEY (spec_id) REFERENCES public.specs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.job_attempts
    ADD CONSTRAINT job_attempts_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.provision_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.job_attempts
    ADD CONSTRAINT job_attempts_runner_id_fkey FOREIGN KEY (runner_id) REFERENCES public.runners(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.job_log_archives
    ADD CONSTRAINT job_log_archives_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.provision_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.plan_files
    ADD CONSTRAINT plan_files_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.provision_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT plans_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.provision_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.provision_job_logs
    ADD CONSTRAINT provision_job_logs_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.provision_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.provision_jobs
    ADD CONSTRAINT provision_jobs_assigned_runner_id_fkey FOREIGN KEY (assigned_runner_id) REFERENCES public.runners(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.provision_jobs
    ADD CONSTRAINT provision_jobs_plan_job_id_fkey FOREIGN KEY (plan_job_id) REFERENCES public.provision_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.provision_jobs
    ADD CONSTRAINT provision_jobs_retry_of_fkey FOREIGN KEY (retry_of) REFERENCES public.provision_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.provision_jobs
    ADD CONSTRAINT provision_jobs_runner_id_fkey FOREIGN KEY (runner_id) REFERENCES public.runners(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.provision_jobs
    ADD CONSTRAINT provision_jobs_spec_id_fkey FOREIGN KEY (spec_id) REFERENCES public.specs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.provision_jobs
    ADD CONSTRAINT provision_jobs_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES public.zones(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.spec_revisions
    ADD CONSTRAINT spec_revisions_spec_id_fkey FOREIGN KEY (spec_id) REFERENCES public.specs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.specs
    ADD CONSTRAINT specs_identity_id_fkey FOREIGN KEY (identity_id) REFERENCES public.cloud_identities(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.specs
    ADD CONSTRAINT specs_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES public.zones(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.state_locks
    ADD CONSTRAINT state_locks_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.provision_jobs(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.state_locks
    ADD CONSTRAINT state_locks_spec_id_fkey FOREIGN KEY (spec_id) REFERENCES public.specs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.state_versions
    ADD CONSTRAINT state_versions_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.provision_jobs(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.state_versions
    ADD CONSTRAINT state_versions_spec_id_fkey FOREIGN KEY (spec_id) REFERENCES public.specs(id) ON DELETE CASCADE;
