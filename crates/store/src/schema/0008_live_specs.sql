-- Specs of a Zone that are not DESTROYED, counted without a look at each.
CREATE INDEX specs_live ON specs (zone_id) WHERE status <> 'DESTROYED';
