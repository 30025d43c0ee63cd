-- 0007 Access: what a credential may assert, when its secret was changed, and who may make tenants.
-- Why:      a trusted system that passes statements on keeps their authority; a new secret is dated; making tenants is
--           a right of its own, which an administrator of one tenant does not have.
-- Locks:    `credential` exclusively, for a moment: it is small, and a constant default rewrites nothing.
-- Backfill: no credential may assert an authority; the first tenant's operator gets the scope `tenants`.

alter table credential
  add column may_assert_authority boolean not null default false,
  add column rotated_at timestamptz;

update credential set scopes = array_append(scopes, 'tenants')
where tenant_id = (select min(id) from tenant) and name = 'operator' and 'admin' = any(scopes);
