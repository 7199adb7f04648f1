-- Where uploads are in object storage, a request of any process goes on with them: one at a time.
ALTER TABLE uploads ADD COLUMN lease_holder text, ADD COLUMN leased_until timestamptz;
