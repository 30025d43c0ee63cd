-- 0020 Leaderboards: a person may opt out of being named in them.
-- Why:      a leaderboard names people, and who does not want that must not be named.
-- Locks:    `person` exclusively, for a moment: a constant default rewrites nothing.
-- Backfill: none; nobody has opted out before.

-- Of the person, not of the roster: no sync changes it, and it goes when the person is erased.
alter table person
  add column leaderboard_opt_out boolean not null default false;
