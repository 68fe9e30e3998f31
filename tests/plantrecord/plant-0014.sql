-- A plant record as the first Sprue that had one left it: schema 0014, five shots of one press.
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
CREATE FUNCTION public.mold_day_of_adjustment_new() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO mold_day VALUES (coalesce(NEW.mold_id, 0), coalesce(NEW.revision, ''), coalesce(NEW.resin, ''), NEW.at_ns / 86400000000000, coalesce(NEW.shots, 0), coalesce(NEW.shots_min, 0), coalesce(NEW.shots_max, 0), coalesce(NEW.closings, 0), coalesce(NEW.unobserved, 0), coalesce(NEW.parts, 0)) ON CONFLICT (mold_id, revision, resin, day) DO UPDATE SET shots = mold_day.shots + excluded.shots, shots_min = mold_day.shots_min + excluded.shots_min, shots_max = mold_day.shots_max + excluded.shots_max, closings = mold_day.closings + excluded.closings, unobserved = mold_day.unobserved + excluded.unobserved, parts = mold_day.parts + excluded.parts; RETURN NULL; END $$;
CREATE FUNCTION public.mold_day_of_ledger_grown() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO mold_day VALUES (coalesce(NEW.mold_id, 0), coalesce(NEW.revision, ''), coalesce(NEW.resin, ''), NEW.until_ns / 86400000000000, coalesce(NEW.shots, 0) - coalesce(OLD.shots, 0), coalesce(NEW.shots_min, 0) - coalesce(OLD.shots_min, 0), coalesce(NEW.shots_max, 0) - coalesce(OLD.shots_max, 0), coalesce(NEW.closings, 0) - coalesce(OLD.closings, 0), coalesce(NEW.unobserved, 0) - coalesce(OLD.unobserved, 0), coalesce(NEW.parts, 0) - coalesce(OLD.parts, 0)) ON CONFLICT (mold_id, revision, resin, day) DO UPDATE SET shots = mold_day.shots + excluded.shots, shots_min = mold_day.shots_min + excluded.shots_min, shots_max = mold_day.shots_max + excluded.shots_max, closings = mold_day.closings + excluded.closings, unobserved = mold_day.unobserved + excluded.unobserved, parts = mold_day.parts + excluded.parts; RETURN NULL; END $$;
CREATE FUNCTION public.mold_day_of_ledger_new() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO mold_day VALUES (coalesce(NEW.mold_id, 0), coalesce(NEW.revision, ''), coalesce(NEW.resin, ''), NEW.until_ns / 86400000000000, coalesce(NEW.shots, 0), coalesce(NEW.shots_min, 0), coalesce(NEW.shots_max, 0), coalesce(NEW.closings, 0), coalesce(NEW.unobserved, 0), coalesce(NEW.parts, 0)) ON CONFLICT (mold_id, revision, resin, day) DO UPDATE SET shots = mold_day.shots + excluded.shots, shots_min = mold_day.shots_min + excluded.shots_min, shots_max = mold_day.shots_max + excluded.shots_max, closings = mold_day.closings + excluded.closings, unobserved = mold_day.unobserved + excluded.unobserved, parts = mold_day.parts + excluded.parts; RETURN NULL; END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.adjustment (
    id bigint NOT NULL,
    kind text NOT NULL,
    mold_id bigint,
    revision text,
    resin text,
    closings bigint NOT NULL,
    shots bigint NOT NULL,
    shots_min bigint NOT NULL,
    shots_max bigint NOT NULL,
    unobserved bigint NOT NULL,
    parts bigint NOT NULL,
    at_ns bigint NOT NULL,
    reason text NOT NULL,
    attribution_id bigint,
    audit_id bigint
);
CREATE SEQUENCE public.adjustment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.adjustment_id_seq OWNED BY public.adjustment.id;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.anomaly (
    id bigint NOT NULL,
    key text NOT NULL,
    machine_id bigint,
    mold_id bigint,
    revision text,
    segment integer,
    counter bigint,
    since_counter bigint,
    until_counter bigint,
    time_ns bigint NOT NULL,
    closed_ns bigint,
    kind text NOT NULL,
    cause text NOT NULL,
    signal text,
    value text,
    expected text,
    "limit" double precision,
    severity text NOT NULL,
    message text NOT NULL,
    short text NOT NULL,
    likely text NOT NULL,
    advice text NOT NULL,
    evidence text,
    follows text,
    changed bigint DEFAULT '0'::bigint NOT NULL
);
CREATE TABLE public.anomaly_action (
    id bigint NOT NULL,
    anomaly_id bigint NOT NULL,
    at_ns bigint NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    text text NOT NULL,
    audit_id bigint NOT NULL
);
CREATE SEQUENCE public.anomaly_action_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.anomaly_action_id_seq OWNED BY public.anomaly_action.id;
CREATE SEQUENCE public.anomaly_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.anomaly_id_seq OWNED BY public.anomaly.id;
CREATE TABLE public.api_token (
    id bigint NOT NULL,
    name text NOT NULL,
    token text NOT NULL,
    scope text NOT NULL,
    made_by text NOT NULL,
    since_ns bigint NOT NULL,
    until_ns bigint NOT NULL,
    used_ns bigint,
    revoked_ns bigint
);
CREATE SEQUENCE public.api_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_token_id_seq OWNED BY public.api_token.id;
CREATE TABLE public.attribution (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    segment integer NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    mold_id bigint,
    revision text,
    resin text,
    at_ns bigint NOT NULL,
    ledger_id bigint,
    estimated smallint DEFAULT '0'::smallint NOT NULL
);
CREATE SEQUENCE public.attribution_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.attribution_id_seq OWNED BY public.attribution.id;
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at_ns bigint NOT NULL,
    who text NOT NULL,
    origin text NOT NULL,
    action text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    old text,
    new text,
    wish text
);
CREATE SEQUENCE public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;
CREATE TABLE public.blind (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    since_ns bigint NOT NULL,
    until_ns bigint,
    cause text NOT NULL,
    why text NOT NULL,
    changed bigint DEFAULT '0'::bigint NOT NULL
);
CREATE SEQUENCE public.blind_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.blind_id_seq OWNED BY public.blind.id;
CREATE TABLE public.chain (
    id bigint NOT NULL,
    at_ns bigint NOT NULL,
    previous text NOT NULL,
    reached text NOT NULL,
    body text NOT NULL,
    hash text NOT NULL
);
CREATE SEQUENCE public.chain_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.chain_id_seq OWNED BY public.chain.id;
CREATE TABLE public.context (
    id bigint NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    machine_id bigint,
    mold_id bigint,
    revision text,
    segment integer,
    first bigint,
    last bigint,
    since_ns bigint,
    until_ns bigint,
    details text,
    corrects bigint,
    withdrawn smallint NOT NULL,
    at_ns bigint NOT NULL,
    who text NOT NULL,
    audit_id bigint NOT NULL
);
CREATE SEQUENCE public.context_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.context_id_seq OWNED BY public.context.id;
CREATE TABLE public.curve (
    machine text NOT NULL,
    segment integer NOT NULL,
    counter bigint NOT NULL,
    signal text NOT NULL,
    samples integer NOT NULL,
    started_ns bigint NOT NULL,
    data bytea NOT NULL
);
CREATE TABLE public.cycle (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    segment integer NOT NULL,
    counter bigint NOT NULL,
    time_ns bigint NOT NULL,
    received_ns bigint NOT NULL,
    time_uncertainty_s double precision NOT NULL,
    mold_id bigint,
    revision text,
    job text,
    mode text,
    resin text,
    closing text NOT NULL,
    state text NOT NULL,
    flags text NOT NULL,
    provenance_id bigint NOT NULL,
    uncertainty text,
    extra text,
    cycle_time_s double precision,
    cooling_time_s double precision,
    cooling_time_set_s double precision,
    fill_time_s double precision,
    hold_time_s double precision,
    hold_time_set_s double precision,
    recovery_time_s double precision,
    mold_close_time_s double precision,
    mold_open_time_s double precision,
    ejection_time_s double precision,
    pause_time_s double precision,
    injection_pressure_peak_bar double precision,
    transfer_pressure_bar double precision,
    hold_pressure_bar double precision,
    back_pressure_bar double precision,
    cavity_pressure_peak_bar double precision,
    cushion_mm double precision,
    cushion_cm3 double precision,
    shot_volume_cm3 double precision,
    transfer_position_mm double precision,
    clamp_force_kn double precision,
    screw_torque_nm double precision,
    parts_good double precision,
    parts_bad double precision,
    melt_temp_c double precision,
    barrel_zone_1_c double precision,
    barrel_zone_2_c double precision,
    barrel_zone_3_c double precision,
    barrel_zone_4_c double precision,
    barrel_zone_5_c double precision,
    barrel_zone_6_c double precision,
    barrel_zone_7_c double precision,
    barrel_zone_8_c double precision,
    barrel_zone_9_c double precision,
    barrel_zone_10_c double precision,
    barrel_zone_11_c double precision,
    barrel_zone_12_c double precision,
    mold_temp_c double precision,
    mold_temp_set_c double precision,
    coolant_in_c double precision,
    coolant_out_c double precision,
    coolant_flow_l_min double precision,
    oil_temp_c double precision,
    machine_counter double precision,
    job_counter double precision,
    parts_counter double precision
);
CREATE SEQUENCE public.cycle_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.cycle_id_seq OWNED BY public.cycle.id;
CREATE TABLE public.dead_letter (
    id bigint NOT NULL,
    sink text NOT NULL,
    topic text NOT NULL,
    row_id bigint NOT NULL,
    at_ns bigint NOT NULL,
    words text NOT NULL,
    body text NOT NULL,
    tries integer NOT NULL,
    again smallint NOT NULL
);
CREATE SEQUENCE public.dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.dead_letter_id_seq OWNED BY public.dead_letter.id;
CREATE TABLE public.golden (
    id bigint NOT NULL,
    action text NOT NULL,
    machine_id bigint NOT NULL,
    mold_id bigint NOT NULL,
    revision text NOT NULL,
    from_revision text,
    segment integer,
    first bigint,
    last bigint,
    levels text,
    curves text,
    at_ns bigint NOT NULL,
    who text NOT NULL,
    note text NOT NULL,
    audit_id bigint NOT NULL
);
CREATE SEQUENCE public.golden_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.golden_id_seq OWNED BY public.golden.id;
CREATE TABLE public.identity (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.lane (
    id bigint NOT NULL,
    sink text NOT NULL,
    topic text NOT NULL,
    after bigint NOT NULL,
    until bigint
);
CREATE SEQUENCE public.lane_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lane_id_seq OWNED BY public.lane.id;
CREATE TABLE public.lease (
    machine_id bigint NOT NULL,
    agent text NOT NULL,
    shared smallint NOT NULL,
    term bigint NOT NULL,
    until_ns bigint NOT NULL
);
CREATE TABLE public.ledger (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    segment integer NOT NULL,
    kind text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    mold_id bigint,
    revision text,
    resin text,
    cavities integer,
    closings bigint NOT NULL,
    shots bigint NOT NULL,
    unobserved bigint NOT NULL,
    parts bigint,
    shots_min bigint DEFAULT '0'::bigint NOT NULL,
    shots_max bigint DEFAULT '0'::bigint NOT NULL,
    since_ns bigint NOT NULL,
    until_ns bigint NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    evidence text NOT NULL,
    changed bigint DEFAULT '0'::bigint NOT NULL
);
CREATE SEQUENCE public.ledger_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.ledger_id_seq OWNED BY public.ledger.id;
CREATE TABLE public.machine (
    id bigint NOT NULL,
    name text NOT NULL,
    driver text,
    seen_ns bigint,
    condition text
);
CREATE SEQUENCE public.machine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.machine_id_seq OWNED BY public.machine.id;
CREATE TABLE public.member (
    agent text NOT NULL,
    name text NOT NULL,
    sprue text NOT NULL,
    seen_ns bigint NOT NULL
);
CREATE TABLE public.mold (
    id bigint NOT NULL,
    name text NOT NULL,
    revision text NOT NULL,
    registered smallint NOT NULL,
    part text,
    alloy text,
    resin text,
    cavities integer,
    planned_shots bigint,
    expected_cycle_s double precision,
    description text,
    location text,
    owner text,
    wall_mm double precision,
    base_shots bigint,
    life_plan text,
    service_plan text,
    links text,
    retired smallint DEFAULT '0'::smallint NOT NULL
);
CREATE TABLE public.mold_day (
    mold_id integer NOT NULL,
    revision text NOT NULL,
    resin text NOT NULL,
    day integer NOT NULL,
    shots bigint NOT NULL,
    shots_min bigint NOT NULL,
    shots_max bigint NOT NULL,
    closings bigint NOT NULL,
    unobserved bigint NOT NULL,
    parts bigint NOT NULL
);
CREATE SEQUENCE public.mold_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.mold_id_seq OWNED BY public.mold.id;
CREATE TABLE public.mold_revision (
    id bigint NOT NULL,
    mold_id bigint NOT NULL,
    revision text NOT NULL,
    since_ns bigint NOT NULL,
    restarts text NOT NULL,
    note text NOT NULL,
    audit_id bigint
);
CREATE SEQUENCE public.mold_revision_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.mold_revision_id_seq OWNED BY public.mold_revision.id;
CREATE TABLE public.mount (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    mold_id bigint NOT NULL,
    revision text NOT NULL,
    since_ns bigint NOT NULL,
    until_ns bigint,
    source text NOT NULL
);
CREATE TABLE public.mount_entry (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    mold_id bigint,
    revision text,
    resin text,
    cavities_open integer,
    since_ns bigint NOT NULL,
    note text NOT NULL,
    withdraws bigint,
    audit_id bigint NOT NULL
);
CREATE SEQUENCE public.mount_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.mount_entry_id_seq OWNED BY public.mount_entry.id;
CREATE SEQUENCE public.mount_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.mount_id_seq OWNED BY public.mount.id;
CREATE TABLE public.mute (
    id bigint NOT NULL,
    machine_id bigint,
    mold_id bigint,
    kind text,
    cause text,
    signal text,
    since_ns bigint NOT NULL,
    until_ns bigint NOT NULL,
    who text NOT NULL,
    reason text NOT NULL,
    audit_id bigint NOT NULL
);
CREATE SEQUENCE public.mute_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.mute_id_seq OWNED BY public.mute.id;
CREATE TABLE public.notice (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    time_ns bigint NOT NULL,
    received_ns bigint NOT NULL,
    change text NOT NULL,
    name text NOT NULL,
    old text,
    new text,
    who text,
    unit text,
    originator text,
    text text,
    job_counter bigint
);
CREATE SEQUENCE public.notice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.notice_id_seq OWNED BY public.notice.id;
CREATE TABLE public.origin (
    agent text NOT NULL,
    kind text NOT NULL,
    row_id bigint NOT NULL,
    plant_id bigint NOT NULL
);
CREATE TABLE public.person (
    id bigint NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    password text NOT NULL,
    taste text,
    since_ns bigint NOT NULL
);
CREATE SEQUENCE public.person_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.person_id_seq OWNED BY public.person.id;
CREATE TABLE public.provenance (
    id bigint NOT NULL,
    body text NOT NULL
);
CREATE SEQUENCE public.provenance_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.provenance_id_seq OWNED BY public.provenance.id;
CREATE TABLE public.refused (
    machine_id bigint NOT NULL,
    reason text NOT NULL,
    n bigint NOT NULL
);
CREATE TABLE public.saved (
    machine_id bigint NOT NULL,
    stage text NOT NULL,
    segment integer,
    counter bigint,
    body bytea NOT NULL
);
CREATE TABLE public.segment (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    number integer NOT NULL,
    first bigint NOT NULL,
    opened_ns bigint NOT NULL,
    reason text NOT NULL
);
CREATE SEQUENCE public.segment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.segment_id_seq OWNED BY public.segment.id;
CREATE TABLE public.service (
    id bigint NOT NULL,
    mold_id bigint NOT NULL,
    revision text NOT NULL,
    at_ns bigint NOT NULL,
    kind text NOT NULL,
    level smallint,
    what text NOT NULL,
    done_by text NOT NULL,
    shots bigint NOT NULL,
    defect text,
    cavity text,
    action text,
    replaced text,
    hours double precision,
    cost double precision,
    links text,
    checklist text,
    corrects bigint,
    audit_id bigint NOT NULL
);
CREATE SEQUENCE public.service_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.service_id_seq OWNED BY public.service.id;
CREATE TABLE public.sheet_limit (
    id bigint NOT NULL,
    mold_id bigint NOT NULL,
    revision text NOT NULL,
    signal text NOT NULL,
    low double precision,
    high double precision,
    since_ns bigint NOT NULL,
    who text NOT NULL,
    audit_id bigint NOT NULL
);
CREATE SEQUENCE public.sheet_limit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sheet_limit_id_seq OWNED BY public.sheet_limit.id;
CREATE TABLE public.sink (
    name text NOT NULL,
    kind text NOT NULL,
    place text NOT NULL,
    configured smallint NOT NULL,
    acknowledged_ns bigint,
    trouble text,
    trouble_ns bigint,
    note text
);
CREATE TABLE public.unmute (
    mute_id bigint NOT NULL,
    at_ns bigint NOT NULL,
    who text NOT NULL,
    audit_id bigint NOT NULL
);
CREATE TABLE public.visit (
    token text NOT NULL,
    person_id bigint NOT NULL,
    since_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    wall smallint NOT NULL
);
ALTER TABLE ONLY public.adjustment ALTER COLUMN id SET DEFAULT nextval('public.adjustment_id_seq'::regclass);
ALTER TABLE ONLY public.anomaly ALTER COLUMN id SET DEFAULT nextval('public.anomaly_id_seq'::regclass);
ALTER TABLE ONLY public.anomaly_action ALTER COLUMN id SET DEFAULT nextval('public.anomaly_action_id_seq'::regclass);
ALTER TABLE ONLY public.api_token ALTER COLUMN id SET DEFAULT nextval('public.api_token_id_seq'::regclass);
ALTER TABLE ONLY public.attribution ALTER COLUMN id SET DEFAULT nextval('public.attribution_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);
ALTER TABLE ONLY public.blind ALTER COLUMN id SET DEFAULT nextval('public.blind_id_seq'::regclass);
ALTER TABLE ONLY public.chain ALTER COLUMN id SET DEFAULT nextval('public.chain_id_seq'::regclass);
ALTER TABLE ONLY public.context ALTER COLUMN id SET DEFAULT nextval('public.context_id_seq'::regclass);
ALTER TABLE ONLY public.cycle ALTER COLUMN id SET DEFAULT nextval('public.cycle_id_seq'::regclass);
ALTER TABLE ONLY public.dead_letter ALTER COLUMN id SET DEFAULT nextval('public.dead_letter_id_seq'::regclass);
ALTER TABLE ONLY public.golden ALTER COLUMN id SET DEFAULT nextval('public.golden_id_seq'::regclass);
ALTER TABLE ONLY public.lane ALTER COLUMN id SET DEFAULT nextval('public.lane_id_seq'::regclass);
ALTER TABLE ONLY public.ledger ALTER COLUMN id SET DEFAULT nextval('public.ledger_id_seq'::regclass);
ALTER TABLE ONLY public.machine ALTER COLUMN id SET DEFAULT nextval('public.machine_id_seq'::regclass);
ALTER TABLE ONLY public.mold ALTER COLUMN id SET DEFAULT nextval('public.mold_id_seq'::regclass);
ALTER TABLE ONLY public.mold_revision ALTER COLUMN id SET DEFAULT nextval('public.mold_revision_id_seq'::regclass);
ALTER TABLE ONLY public.mount ALTER COLUMN id SET DEFAULT nextval('public.mount_id_seq'::regclass);
ALTER TABLE ONLY public.mount_entry ALTER COLUMN id SET DEFAULT nextval('public.mount_entry_id_seq'::regclass);
ALTER TABLE ONLY public.mute ALTER COLUMN id SET DEFAULT nextval('public.mute_id_seq'::regclass);
ALTER TABLE ONLY public.notice ALTER COLUMN id SET DEFAULT nextval('public.notice_id_seq'::regclass);
ALTER TABLE ONLY public.person ALTER COLUMN id SET DEFAULT nextval('public.person_id_seq'::regclass);
ALTER TABLE ONLY public.provenance ALTER COLUMN id SET DEFAULT nextval('public.provenance_id_seq'::regclass);
ALTER TABLE ONLY public.segment ALTER COLUMN id SET DEFAULT nextval('public.segment_id_seq'::regclass);
ALTER TABLE ONLY public.service ALTER COLUMN id SET DEFAULT nextval('public.service_id_seq'::regclass);
ALTER TABLE ONLY public.sheet_limit ALTER COLUMN id SET DEFAULT nextval('public.sheet_limit_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0014');
INSERT INTO public.audit VALUES (1, 1795625092509345000, 'sprue.toml', 'configuration', 'add', 'mold', 'A-1', NULL, '{"revision": "A", "part": "Lid"}', NULL);
INSERT INTO public.cycle VALUES (1, 1, 1, 1, 1772431220000000000, 1772431220000000000, 0, 1, 'A', NULL, NULL, NULL, 'shot', 'production', '', 1, NULL, NULL, 20.01, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.cycle VALUES (2, 1, 1, 2, 1772431240000000000, 1772431240000000000, 0, 1, 'A', NULL, NULL, NULL, 'shot', 'production', '', 1, NULL, NULL, 20.02, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.cycle VALUES (3, 1, 1, 3, 1772431260000000000, 1772431260000000000, 0, 1, 'A', NULL, NULL, NULL, 'shot', 'production', '', 1, NULL, NULL, 20.03, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.cycle VALUES (4, 1, 1, 4, 1772431280000000000, 1772431280000000000, 0, 1, 'A', NULL, NULL, NULL, 'shot', 'production', '', 1, NULL, NULL, 20.04, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.cycle VALUES (5, 1, 1, 5, 1772431300000000000, 1772431300000000000, 0, 1, 'A', NULL, NULL, NULL, 'shot', 'production', '', 1, NULL, NULL, 20.05, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.identity VALUES ('agent', 'plant-da2c9db64352425092a8fb95d82776c8');
INSERT INTO public.lease VALUES (1, '690d4c2e25d94085a5c3d8044b979435', 0, 0, 0);
INSERT INTO public.ledger VALUES (1, 1, 1, 'seen', 1, 5, 1, 'A', NULL, NULL, 5, 5, 0, NULL, 5, 5, 1772431220000000000, 1772431300000000000, '', '', 0);
INSERT INTO public.machine VALUES (1, 'IMM-01', NULL, NULL, NULL);
INSERT INTO public.mold VALUES (1, 'A-1', 'A', 1, 'Lid', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO public.mold_day VALUES (1, 'A', '', 20514, 5, 5, 5, 5, 0, 0);
INSERT INTO public.mold_revision VALUES (1, 1, 'A', 0, '["inserts"]', '', 1);
INSERT INTO public.mount VALUES (1, 1, 1, 'A', 1772431220000000000, NULL, 'machine');
INSERT INTO public.origin VALUES ('690d4c2e25d94085a5c3d8044b979435', 'audit', 1, 1);
INSERT INTO public.provenance VALUES (1, '{}');
INSERT INTO public.segment VALUES (1, 1, 1, 0, 1772431220000000000, 'first_seen');
SELECT pg_catalog.setval('public.adjustment_id_seq', 1, false);
SELECT pg_catalog.setval('public.anomaly_action_id_seq', 1, false);
SELECT pg_catalog.setval('public.anomaly_id_seq', 1, false);
SELECT pg_catalog.setval('public.api_token_id_seq', 1, false);
SELECT pg_catalog.setval('public.attribution_id_seq', 1, false);
SELECT pg_catalog.setval('public.audit_id_seq', 1, true);
SELECT pg_catalog.setval('public.blind_id_seq', 1, false);
SELECT pg_catalog.setval('public.chain_id_seq', 1, false);
SELECT pg_catalog.setval('public.context_id_seq', 1, false);
SELECT pg_catalog.setval('public.cycle_id_seq', 5, true);
SELECT pg_catalog.setval('public.dead_letter_id_seq', 1, false);
SELECT pg_catalog.setval('public.golden_id_seq', 1, false);
SELECT pg_catalog.setval('public.lane_id_seq', 1, false);
SELECT pg_catalog.setval('public.ledger_id_seq', 1, true);
SELECT pg_catalog.setval('public.machine_id_seq', 1, true);
SELECT pg_catalog.setval('public.mold_id_seq', 1, true);
SELECT pg_catalog.setval('public.mold_revision_id_seq', 1, true);
SELECT pg_catalog.setval('public.mount_entry_id_seq', 1, false);
SELECT pg_catalog.setval('public.mount_id_seq', 1, true);
SELECT pg_catalog.setval('public.mute_id_seq', 1, false);
SELECT pg_catalog.setval('public.notice_id_seq', 1, false);
SELECT pg_catalog.setval('public.person_id_seq', 1, false);
SELECT pg_catalog.setval('public.provenance_id_seq', 1, true);
SELECT pg_catalog.setval('public.segment_id_seq', 1, true);
SELECT pg_catalog.setval('public.service_id_seq', 1, false);
SELECT pg_catalog.setval('public.sheet_limit_id_seq', 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkey PRIMARY KEY (version_num);
ALTER TABLE ONLY public.adjustment
    ADD CONSTRAINT pk_adjustment PRIMARY KEY (id);
ALTER TABLE ONLY public.anomaly
    ADD CONSTRAINT pk_anomaly PRIMARY KEY (id);
ALTER TABLE ONLY public.anomaly_action
    ADD CONSTRAINT pk_anomaly_action PRIMARY KEY (id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT pk_api_token PRIMARY KEY (id);
ALTER TABLE ONLY public.attribution
    ADD CONSTRAINT pk_attribution PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (id);
ALTER TABLE ONLY public.blind
    ADD CONSTRAINT pk_blind PRIMARY KEY (id);
ALTER TABLE ONLY public.chain
    ADD CONSTRAINT pk_chain PRIMARY KEY (id);
ALTER TABLE ONLY public.context
    ADD CONSTRAINT pk_context PRIMARY KEY (id);
ALTER TABLE ONLY public.curve
    ADD CONSTRAINT pk_curve PRIMARY KEY (machine, segment, counter, signal);
ALTER TABLE ONLY public.cycle
    ADD CONSTRAINT pk_cycle PRIMARY KEY (id);
ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT pk_dead_letter PRIMARY KEY (id);
ALTER TABLE ONLY public.golden
    ADD CONSTRAINT pk_golden PRIMARY KEY (id);
ALTER TABLE ONLY public.identity
    ADD CONSTRAINT pk_identity PRIMARY KEY (name);
ALTER TABLE ONLY public.lane
    ADD CONSTRAINT pk_lane PRIMARY KEY (id);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT pk_lease PRIMARY KEY (machine_id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT pk_ledger PRIMARY KEY (id);
ALTER TABLE ONLY public.machine
    ADD CONSTRAINT pk_machine PRIMARY KEY (id);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT pk_member PRIMARY KEY (agent);
ALTER TABLE ONLY public.mold
    ADD CONSTRAINT pk_mold PRIMARY KEY (id);
ALTER TABLE ONLY public.mold_day
    ADD CONSTRAINT pk_mold_day PRIMARY KEY (mold_id, revision, resin, day);
ALTER TABLE ONLY public.mold_revision
    ADD CONSTRAINT pk_mold_revision PRIMARY KEY (id);
ALTER TABLE ONLY public.mount
    ADD CONSTRAINT pk_mount PRIMARY KEY (id);
ALTER TABLE ONLY public.mount_entry
    ADD CONSTRAINT pk_mount_entry PRIMARY KEY (id);
ALTER TABLE ONLY public.mute
    ADD CONSTRAINT pk_mute PRIMARY KEY (id);
ALTER TABLE ONLY public.notice
    ADD CONSTRAINT pk_notice PRIMARY KEY (id);
ALTER TABLE ONLY public.origin
    ADD CONSTRAINT pk_origin PRIMARY KEY (agent, kind, row_id);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT pk_person PRIMARY KEY (id);
ALTER TABLE ONLY public.provenance
    ADD CONSTRAINT pk_provenance PRIMARY KEY (id);
ALTER TABLE ONLY public.refused
    ADD CONSTRAINT pk_refused PRIMARY KEY (machine_id, reason);
ALTER TABLE ONLY public.saved
    ADD CONSTRAINT pk_saved PRIMARY KEY (machine_id, stage);
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT pk_segment PRIMARY KEY (id);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT pk_service PRIMARY KEY (id);
ALTER TABLE ONLY public.sheet_limit
    ADD CONSTRAINT pk_sheet_limit PRIMARY KEY (id);
ALTER TABLE ONLY public.sink
    ADD CONSTRAINT pk_sink PRIMARY KEY (name);
ALTER TABLE ONLY public.unmute
    ADD CONSTRAINT pk_unmute PRIMARY KEY (mute_id);
ALTER TABLE ONLY public.visit
    ADD CONSTRAINT pk_visit PRIMARY KEY (token);
ALTER TABLE ONLY public.anomaly
    ADD CONSTRAINT uq_anomaly_key UNIQUE (key);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT uq_api_token_name UNIQUE (name);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT uq_api_token_token UNIQUE (token);
ALTER TABLE ONLY public.blind
    ADD CONSTRAINT uq_blind_machine_id_since_ns UNIQUE (machine_id, since_ns);
ALTER TABLE ONLY public.cycle
    ADD CONSTRAINT uq_cycle_machine_id_segment_counter UNIQUE (machine_id, segment, counter);
ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT uq_dead_letter_sink_topic_row_id UNIQUE (sink, topic, row_id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT uq_ledger_machine_id_segment_kind_first UNIQUE (machine_id, segment, kind, first);
ALTER TABLE ONLY public.machine
    ADD CONSTRAINT uq_machine_name UNIQUE (name);
ALTER TABLE ONLY public.mold
    ADD CONSTRAINT uq_mold_name UNIQUE (name);
ALTER TABLE ONLY public.mold_revision
    ADD CONSTRAINT uq_mold_revision_mold_id_revision UNIQUE (mold_id, revision);
ALTER TABLE ONLY public.mount
    ADD CONSTRAINT uq_mount_machine_id_since_ns UNIQUE (machine_id, since_ns);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT uq_person_name UNIQUE (name);
ALTER TABLE ONLY public.provenance
    ADD CONSTRAINT uq_provenance_body UNIQUE (body);
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT uq_segment_machine_id_number UNIQUE (machine_id, number);
CREATE INDEX ix_adjustment_mold_id_revision ON public.adjustment USING btree (mold_id, revision);
CREATE INDEX ix_anomaly_action_anomaly_id ON public.anomaly_action USING btree (anomaly_id);
CREATE INDEX ix_anomaly_changed ON public.anomaly USING btree (changed);
CREATE INDEX ix_anomaly_closed_ns ON public.anomaly USING btree (closed_ns);
CREATE INDEX ix_anomaly_time_ns ON public.anomaly USING btree (time_ns);
CREATE INDEX ix_attribution_ledger_id ON public.attribution USING btree (ledger_id);
CREATE INDEX ix_attribution_machine_id_segment_first ON public.attribution USING btree (machine_id, segment, first);
CREATE INDEX ix_audit_kind_subject ON public.audit USING btree (kind, subject);
CREATE INDEX ix_audit_wish ON public.audit USING btree (wish);
CREATE INDEX ix_blind_changed ON public.blind USING btree (changed);
CREATE INDEX ix_context_corrects ON public.context USING btree (corrects);
CREATE INDEX ix_context_kind_label ON public.context USING btree (kind, label);
CREATE INDEX ix_cycle_machine_id_time_ns ON public.cycle USING btree (machine_id, time_ns);
CREATE INDEX ix_cycle_mold_id_time_ns ON public.cycle USING btree (mold_id, time_ns);
CREATE INDEX ix_golden_machine_id ON public.golden USING btree (machine_id);
CREATE INDEX ix_lane_sink ON public.lane USING btree (sink);
CREATE INDEX ix_ledger_changed ON public.ledger USING btree (changed);
CREATE INDEX ix_ledger_mold_id_revision ON public.ledger USING btree (mold_id, revision);
CREATE INDEX ix_mount_entry_machine_id_since_ns ON public.mount_entry USING btree (machine_id, since_ns);
CREATE INDEX ix_notice_machine_id_time_ns ON public.notice USING btree (machine_id, time_ns);
CREATE INDEX ix_origin_kind_plant_id ON public.origin USING btree (kind, plant_id);
CREATE INDEX ix_service_mold_id_at_ns ON public.service USING btree (mold_id, at_ns);
CREATE INDEX ix_sheet_limit_mold_id_revision ON public.sheet_limit USING btree (mold_id, revision);
CREATE INDEX ix_visit_person_id ON public.visit USING btree (person_id);
CREATE TRIGGER mold_day_of_adjustment_new AFTER INSERT ON public.adjustment FOR EACH ROW EXECUTE FUNCTION public.mold_day_of_adjustment_new();
CREATE TRIGGER mold_day_of_ledger_grown AFTER UPDATE OF shots, shots_min, shots_max, closings, unobserved, parts ON public.ledger FOR EACH ROW EXECUTE FUNCTION public.mold_day_of_ledger_grown();
CREATE TRIGGER mold_day_of_ledger_new AFTER INSERT ON public.ledger FOR EACH ROW EXECUTE FUNCTION public.mold_day_of_ledger_new();
ALTER TABLE ONLY public.adjustment
    ADD CONSTRAINT fk_adjustment_attribution_id FOREIGN KEY (attribution_id) REFERENCES public.attribution(id);
ALTER TABLE ONLY public.adjustment
    ADD CONSTRAINT fk_adjustment_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.adjustment
    ADD CONSTRAINT fk_adjustment_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.anomaly_action
    ADD CONSTRAINT fk_anomaly_action_anomaly_id FOREIGN KEY (anomaly_id) REFERENCES public.anomaly(id);
ALTER TABLE ONLY public.anomaly_action
    ADD CONSTRAINT fk_anomaly_action_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.anomaly
    ADD CONSTRAINT fk_anomaly_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.anomaly
    ADD CONSTRAINT fk_anomaly_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.attribution
    ADD CONSTRAINT fk_attribution_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.attribution
    ADD CONSTRAINT fk_attribution_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.blind
    ADD CONSTRAINT fk_blind_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.context
    ADD CONSTRAINT fk_context_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.context
    ADD CONSTRAINT fk_context_corrects FOREIGN KEY (corrects) REFERENCES public.context(id);
ALTER TABLE ONLY public.context
    ADD CONSTRAINT fk_context_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.context
    ADD CONSTRAINT fk_context_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.cycle
    ADD CONSTRAINT fk_cycle_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.cycle
    ADD CONSTRAINT fk_cycle_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.cycle
    ADD CONSTRAINT fk_cycle_provenance_id FOREIGN KEY (provenance_id) REFERENCES public.provenance(id);
ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT fk_dead_letter_sink FOREIGN KEY (sink) REFERENCES public.sink(name);
ALTER TABLE ONLY public.golden
    ADD CONSTRAINT fk_golden_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.golden
    ADD CONSTRAINT fk_golden_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.golden
    ADD CONSTRAINT fk_golden_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.lane
    ADD CONSTRAINT fk_lane_sink FOREIGN KEY (sink) REFERENCES public.sink(name);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT fk_lease_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT fk_ledger_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT fk_ledger_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.mold_revision
    ADD CONSTRAINT fk_mold_revision_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.mold_revision
    ADD CONSTRAINT fk_mold_revision_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.mount_entry
    ADD CONSTRAINT fk_mount_entry_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.mount_entry
    ADD CONSTRAINT fk_mount_entry_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.mount_entry
    ADD CONSTRAINT fk_mount_entry_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.mount_entry
    ADD CONSTRAINT fk_mount_entry_withdraws FOREIGN KEY (withdraws) REFERENCES public.mount_entry(id);
ALTER TABLE ONLY public.mount
    ADD CONSTRAINT fk_mount_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.mount
    ADD CONSTRAINT fk_mount_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.mute
    ADD CONSTRAINT fk_mute_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.mute
    ADD CONSTRAINT fk_mute_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.mute
    ADD CONSTRAINT fk_mute_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.notice
    ADD CONSTRAINT fk_notice_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.refused
    ADD CONSTRAINT fk_refused_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.saved
    ADD CONSTRAINT fk_saved_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT fk_segment_machine_id FOREIGN KEY (machine_id) REFERENCES public.machine(id);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT fk_service_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT fk_service_corrects FOREIGN KEY (corrects) REFERENCES public.service(id);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT fk_service_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.sheet_limit
    ADD CONSTRAINT fk_sheet_limit_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.sheet_limit
    ADD CONSTRAINT fk_sheet_limit_mold_id FOREIGN KEY (mold_id) REFERENCES public.mold(id);
ALTER TABLE ONLY public.unmute
    ADD CONSTRAINT fk_unmute_audit_id FOREIGN KEY (audit_id) REFERENCES public.audit(id);
ALTER TABLE ONLY public.unmute
    ADD CONSTRAINT fk_unmute_mute_id FOREIGN KEY (mute_id) REFERENCES public.mute(id);
ALTER TABLE ONLY public.visit
    ADD CONSTRAINT fk_visit_person_id FOREIGN KEY (person_id) REFERENCES public.person(id);
