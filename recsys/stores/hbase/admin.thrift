// What we use of HBase's thrift2 service to create tables and to say who may use them; the older
// service knows neither namespaces nor split keys. Field ids and names follow
// hbase-thrift/.../thrift2/hbase.thrift.

enum TCompressionAlgorithm {
  GZ = 1,
  NONE = 2,
  SNAPPY = 3
}

enum TDataBlockEncoding {
  NONE = 0,
  FAST_DIFF = 4
}

struct TTableName {
  1: optional binary ns
  2: required binary qualifier
}

struct TColumnFamilyDescriptor {
  1: required binary name
  2: optional map<binary, binary> attributes
  6: optional TCompressionAlgorithm compressionType
  8: optional TDataBlockEncoding dataBlockEncoding
  10: optional i32 maxVersions
}

struct TTableDescriptor {
  1: required TTableName tableName
  2: optional list<TColumnFamilyDescriptor> columns
  3: optional map<binary, binary> attributes
}

struct TNamespaceDescriptor {
  1: required string name
  2: optional map<string, string> configuration
}

struct TColumnValue {
  1: required binary family
  2: required binary qualifier
  3: required binary value
}

struct TPut {
  1: required binary row
  2: required list<TColumnValue> columnValues
}

exception TIOError {
  1: optional string message
  2: optional bool canRetry
}

service HBaseAdmin {
  bool tableExists(1: TTableName tableName) throws (1: TIOError io)

  TTableDescriptor getTableDescriptor(1: required TTableName table) throws (1: TIOError io)

  void createTable(
    1: required TTableDescriptor desc
    2: optional list<binary> splitKeys
  ) throws (1: TIOError io)

  void put(1: required binary table, 2: required TPut tput) throws (1: TIOError io)

  void createNamespace(1: required TNamespaceDescriptor namespaceDesc) throws (1: TIOError io)

  list<TNamespaceDescriptor> listNamespaceDescriptors() throws (1: TIOError io)
}
