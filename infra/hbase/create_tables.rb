# Creates a tenant's tables on a real cluster, for operators who run no thrift2 server:
#
#     TENANT=demo hbase shell -n infra/hbase/create_tables.rb
#
# Where HBase asks who may do what, THRIFT_USER names the user that the Thrift server runs as.
# Does what `recsys tables create` does (recsys/stores/hbase/admin.py): keep both in step. For a new
# tenant only, since creating what exists is an error; a tenant that lacks one table needs only that
# `create`. Reasons: docs/decisions/0003-hbase-layout.md.

tenant = ENV.fetch('TENANT')
abort "#{tenant} is no tenant id" unless tenant =~ /\A[a-z][a-z0-9_]{0,31}\z/ && tenant != 'hbase'

salt_buckets = 16
# One region a salt bucket: \x01 to \x0F are where the buckets begin. Event ids need a quarter of them.
boundaries = (1...salt_buckets).map { |bucket| [bucket].pack('C') }
wide_boundaries = (4...salt_buckets).step(4).map { |bucket| [bucket].pack('C') }
family = { NAME => 'e', VERSIONS => 1, COMPRESSION => 'SNAPPY', DATA_BLOCK_ENCODING => 'FAST_DIFF' }
# Only items and users are deleted; without this a delete hides a put of the same millisecond.
deletable = family.merge('NEW_VERSION_BEHAVIOR' => 'true')
# An event id is known for 90 days, and whose events were removed for 30.
expiring = family.merge(TTL => 90 * 24 * 3600)
soon_expiring = family.merge(TTL => 30 * 24 * 3600)
recorded = { 'RECSYS_SALT_BUCKETS' => salt_buckets.to_s }

create_namespace tenant
# Where HBase asks who may do what, let the Thrift server of the stores read and write, no more.
grant ENV.fetch('THRIFT_USER'), 'RW', "@#{tenant}" if ENV.key?('THRIFT_USER')
create "#{tenant}:interactions", family, { SPLITS => boundaries, METADATA => recorded }
create "#{tenant}:items", deletable, { METADATA => recorded }
create "#{tenant}:imports", family, { METADATA => recorded }
create "#{tenant}:event_ids", expiring, { SPLITS => wide_boundaries, METADATA => recorded }
create "#{tenant}:removals", soon_expiring, { METADATA => recorded }
create "#{tenant}:users", deletable, { SPLITS => wide_boundaries, METADATA => recorded }
