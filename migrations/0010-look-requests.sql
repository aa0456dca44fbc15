-- People may ask for a look at a cluster's objects now instead of with the next resync.

ALTER TABLE manifest_requests DROP CONSTRAINT manifest_requests_kind_check;
ALTER TABLE manifest_requests ADD CONSTRAINT manifest_requests_kind_check
  CHECK (kind IN ('accept-drift', 'correct-drift', 'confirm-prune', 'look'));
