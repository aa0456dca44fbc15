-- What a client of the registry reports as a cluster's status; shown until Fairway has one of its own.

ALTER TABLE cluster_runtimes ADD COLUMN reported_status jsonb;
