-- 0006 Attachments: the bytes that came with statements, and whose they are.
-- Why:      statements may be sent with attachments in multipart/mixed, and are asked for with them.
-- Locks:    none that matter, every table is new.
-- Backfill: none; no statement was stored with bytes before.

-- Bytes are known by the hash that they were sent under, of 28, 32, 48 or 64 bytes as SHA-224 to SHA-512 give it, and
-- kept once in a tenant. What they are (content type, usage) stands in the statements, which may differ in it.
create table attachment (
  tenant_id integer not null references tenant,
  sha2 bytea not null,
  length bigint not null,
  primary key (tenant_id, sha2)
);

-- Parts of 256 kB, so that neither a write nor a read holds a whole attachment in memory. Images, documents and video
-- are compressed already: to try again costs time and gains nothing.
create table attachment_chunk (
  tenant_id integer not null,
  sha2 bytea not null,
  position integer not null,
  content bytea not null,
  primary key (tenant_id, sha2, position),
  foreign key (tenant_id, sha2) references attachment on delete cascade
);
alter table attachment_chunk alter column content set storage external;

-- Which statements bytes came with: a statement that merely names a hash has no right to them. An attachment without a
-- row here belongs to nobody, which the index finds.
create table statement_attachment (
  tenant_id integer not null,
  statement_seq bigint not null,
  sha2 bytea not null,
  primary key (tenant_id, statement_seq, sha2),
  foreign key (tenant_id, sha2) references attachment
);
create index statement_attachment_sha2 on statement_attachment (tenant_id, sha2);
