-- Who may call this insurance centre: systems with a public key, and the keys the centre signs its tokens with. The same
-- tables as on the platform, because both sides run the same token code (access/client-credentials.ts).
create table client (
  id           text  not null constraint client_pkey primary key,
  display_name text  not null,
  jwks         jsonb not null,
  scopes       text  not null,
  organization text
);
create table signing_key (
  kid         text        not null constraint signing_key_pkey primary key,
  alg         text        not null,
  private_jwk jsonb       not null,
  public_jwk  jsonb       not null,
  created_at  timestamptz not null
);
create table used_assertion (
  client_id  text        not null,
  jti        text        not null,
  expires_at timestamptz not null,
  constraint used_assertion_pkey primary key (client_id, jti)
);
