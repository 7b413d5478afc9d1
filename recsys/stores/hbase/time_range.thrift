// What we use of HBase's thrift2 service to read what was written in a range of time; the older
// service knows only when a range ends. Field ids and names follow
// hbase-thrift/.../thrift2/hbase.thrift.

struct TTimeRange {
  1: required i64 minStamp
  2: required i64 maxStamp
}

struct TColumn {
  1: required binary family
  2: optional binary qualifier
}

struct TColumnValue {
  1: required binary family
  2: required binary qualifier
  3: required binary value
  4: optional i64 timestamp
}

struct TResult {
  1: optional binary row
  2: required list<TColumnValue> columnValues
}

struct TScan {
  1: optional binary startRow
  2: optional binary stopRow
  3: optional list<TColumn> columns
  4: optional i32 caching
  6: optional TTimeRange timeRange
  12: optional bool cacheBlocks
}

exception TIOError {
  1: optional string message
  2: optional bool canRetry
}

exception TIllegalArgument {
  1: optional string message
}

service HBaseTimeRange {
  list<TResult> getScannerResults(
    1: required binary table
    2: required TScan tscan
    3: i32 numRows
  ) throws (1: TIOError io, 2: TIllegalArgument ia)
}
