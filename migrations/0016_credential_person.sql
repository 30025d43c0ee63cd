-- 0016 Access: for which person of the roster a credential stands.
-- Why:      the scopes `line/read` and `self/read` show no more than a manager's own line, or a learner's own numbers;
--           whose, the credential must say. The name is the roster's (`person.external_id`), and no foreign key: an HRIS
--           names managers whom it never sends, and a credential may be made before its person.
-- Locks:    `credential` exclusively, for a moment: a nullable column rewrites nothing.
-- Backfill: none; no credential stands for a person yet.

alter table credential add column person_external_id text;
