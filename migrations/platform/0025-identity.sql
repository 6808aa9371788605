-- Sign-in sessions as rows, apps that act for people (SMART App Launch), second factors, throttling of guesses.
-- Why sessions are rows: docs/decisions/0016-openid-provider.md and 0017-sessions-are-rows.md.

-- One row a sign-in, and one an app that a person let in. A token names its row (claim sid); a row that has ended, timed out
-- or whose parent has ended makes every token of it worthless at the next request.
create table sign_in_session (
  id                uuid        not null constraint sign_in_session_pkey primary key,
  account_id        uuid        not null references account,
  kind              text        not null check (kind in ('portal', 'app')),
  role              text        not null,
  patient           text,
  practitioner      text,
  organization      text,
  organization_name text,
  auth_level        text        not null check (auth_level in ('password', 'second-factor')),
  auth_at           timestamptz not null,
  device            text        not null,          -- a few words: browser and system; never the whole header
  network           text        not null,          -- /24 or /48 of the address, enough to tell home from elsewhere
  created_at        timestamptz not null,
  last_seen_at      timestamptz not null,
  expires_at        timestamptz not null,
  ended_at          timestamptz,
  ended_why         text        check (ended_why in ('sign-out', 'elsewhere', 'password', 'revoked', 'replay')),
  -- of an app:
  app               text,
  parent            uuid        references sign_in_session, -- the portal session it was allowed in; ends with it unless offline
  grant_id          text        constraint sign_in_session_grant_unique unique,
  scopes            text,
  launch_patient    text,
  launch_encounter  text,
  offline           boolean     not null default false,
  constraint sign_in_session_app check ((kind = 'app') = (app is not null and grant_id is not null and scopes is not null and scopes <> ''))
);
create index sign_in_session_account on sign_in_session (account_id, last_seen_at desc) where ended_at is null;
create index sign_in_session_expiry on sign_in_session (expires_at);

-- Apps that may ask people for access. Systems that act for themselves are in client; an id is in one of the two.
create table app (
  id                        text        not null constraint app_pkey primary key,
  name_zh                   text        not null,
  name_en                   text        not null,
  publisher                 text        not null,
  auth_method               text        not null check (auth_method in ('none', 'private_key_jwt')),
  jwks                      jsonb,
  redirect_uris             text[]      not null,
  post_logout_redirect_uris text[]      not null default '{}',
  launch_uri                text,                  -- where the portal opens it from a patient's record; null: cannot be
  scopes                    text        not null,  -- the most it may ever ask for
  roles                     text[]      not null,  -- of the people it is for
  created_at                timestamptz not null,
  constraint app_keys check ((auth_method = 'private_key_jwt') = (jwks is not null))
);

-- An opaque launch id that the portal made for one professional, one app, one patient; counts once.
create table smart_launch (
  id         text        not null constraint smart_launch_pkey primary key, -- SHA-256 of the id
  app        text        not null references app,
  session_id uuid        not null references sign_in_session,
  patient    text        not null,
  encounter  text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);

-- What the OpenID provider keeps: codes, refresh tokens, grants, interactions. Keys are SHA-256 of the secret, so that a
-- copy of the table opens nothing.
create table oidc_artefact (
  model       text        not null,
  id          text        not null,
  payload     jsonb       not null,
  grant_id    text,
  uid         text,
  consumed_at timestamptz,
  expires_at  timestamptz not null,
  constraint oidc_artefact_pkey primary key (model, id)
);
create index oidc_artefact_grant on oidc_artefact (grant_id) where grant_id is not null;
create index oidc_artefact_uid on oidc_artefact (uid) where uid is not null;
create index oidc_artefact_expiry on oidc_artefact (expires_at);

alter table account
  add column phone text constraint account_phone_unique unique,   -- digits only, mainland number
  add column password_changed_at timestamptz,
  add column totp_secret text,                                    -- encrypted (crypto.ts seal); null: no second factor
  add column totp_confirmed_at timestamptz,
  add column totp_step bigint,                                    -- the last time step used: a code counts once
  add column recovery_codes text[] not null default '{}';         -- SHA-256 of each unused code

-- Failed sign-ins, counted by account and network, by account and known device, and by account alone.
create table sign_in_failure (
  key           text        not null constraint sign_in_failure_pkey primary key, -- SHA-256; says nothing about whom
  failures      int         not null,
  last_at       timestamptz not null,
  blocked_until timestamptz
);

-- Browsers on which an account has signed in before: their owner is never kept out by guesses from elsewhere.
create table known_device (
  account_id  uuid        not null references account,
  device_hash text        not null,
  last_at     timestamptz not null,
  constraint known_device_pkey primary key (account_id, device_hash)
);
