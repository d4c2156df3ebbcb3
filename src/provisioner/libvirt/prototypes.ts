/**
 * What we call of libvirt.so.0, as its headers declare it (`test/libvirt/prototypes.test.ts` compares where they
 * are installed). `HeapString` is a `char *` that the caller frees, `Bytes` a buffer of known length.
 */
export const prototypes = {
  // — library —
  virSetErrorFunc: "void virSetErrorFunc(void *userData, virErrorFunc *handler)",
  virConnCopyLastError: "int virConnCopyLastError(virConnectPtr conn, void *to)",
  virConnResetLastError: "void virConnResetLastError(virConnectPtr conn)",
  virResetError: "void virResetError(void *err)",
  virEventRegisterDefaultImpl: "int virEventRegisterDefaultImpl()",
  virEventRunDefaultImpl: "int virEventRunDefaultImpl()",
  virEventAddTimeout: "int virEventAddTimeout(int frequency, void *cb, void *opaque, void *ff)",
  virEventUpdateTimeout: "void virEventUpdateTimeout(int timer, int frequency)",
  virEventRemoveTimeout: "int virEventRemoveTimeout(int timer)",
  // — connection —
  virConnectOpen: "virConnectPtr virConnectOpen(const char *name)",
  virConnectClose: "int virConnectClose(virConnectPtr conn)",
  virConnectIsAlive: "int virConnectIsAlive(virConnectPtr conn)",
  virConnectSetKeepAlive: "int virConnectSetKeepAlive(virConnectPtr conn, int interval, unsigned int count)",
  virConnectGetVersion: "int virConnectGetVersion(virConnectPtr conn, _Out_ unsigned long *hvVer)",
  virConnectGetCapabilities: "HeapString virConnectGetCapabilities(virConnectPtr conn)",
  // — domains —
  virConnectListAllDomains:
    "int virConnectListAllDomains(virConnectPtr conn, _Out_ void **domains, unsigned int flags)",
  virDomainLookupByUUIDString:
    "virDomainPtr virDomainLookupByUUIDString(virConnectPtr conn, const char *uuid)",
  virDomainLookupByName: "virDomainPtr virDomainLookupByName(virConnectPtr conn, const char *name)",
  virDomainDefineXMLFlags:
    "virDomainPtr virDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned int flags)",
  virDomainCreateXML:
    "virDomainPtr virDomainCreateXML(virConnectPtr conn, const char *xmlDesc, unsigned int flags)",
  virDomainCreateWithFlags: "int virDomainCreateWithFlags(virDomainPtr domain, unsigned int flags)",
  virDomainShutdownFlags: "int virDomainShutdownFlags(virDomainPtr domain, unsigned int flags)",
  virDomainDestroyFlags: "int virDomainDestroyFlags(virDomainPtr domain, unsigned int flags)",
  virDomainSuspend: "int virDomainSuspend(virDomainPtr domain)",
  virDomainResume: "int virDomainResume(virDomainPtr domain)",
  virDomainUndefineFlags: "int virDomainUndefineFlags(virDomainPtr domain, unsigned int flags)",
  virDomainGetState:
    "int virDomainGetState(virDomainPtr domain, _Out_ int *state, _Out_ int *reason, unsigned int flags)",
  virDomainGetXMLDesc: "HeapString virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)",
  virDomainGetUUIDString: "int virDomainGetUUIDString(virDomainPtr domain, Bytes buf)",
  virDomainGetName: "const char *virDomainGetName(virDomainPtr domain)",
  virDomainGetAutostart: "int virDomainGetAutostart(virDomainPtr domain, _Out_ int *autostart)",
  virDomainSetAutostart: "int virDomainSetAutostart(virDomainPtr domain, int autostart)",
  virDomainGetMetadata:
    "HeapString virDomainGetMetadata(virDomainPtr domain, int type, const char *uri, unsigned int flags)",
  virDomainSetMetadata:
    "int virDomainSetMetadata(virDomainPtr domain, int type, const char *metadata, const char *key, const char *uri, unsigned int flags)",
  virDomainSetTime:
    "int virDomainSetTime(virDomainPtr dom, long long seconds, unsigned int nseconds, unsigned int flags)",
  virDomainInterfaceAddresses:
    "int virDomainInterfaceAddresses(virDomainPtr dom, _Out_ void **ifaces, unsigned int source, unsigned int flags)",
  virDomainInterfaceFree: "void virDomainInterfaceFree(void *iface)",
  virDomainQemuAgentCommand:
    "HeapString virDomainQemuAgentCommand(virDomainPtr domain, const char *cmd, int timeout, unsigned int flags)",
  virDomainSaveFlags:
    "int virDomainSaveFlags(virDomainPtr domain, const char *to, const char *dxml, unsigned int flags)",
  virDomainRestoreFlags:
    "int virDomainRestoreFlags(virConnectPtr conn, const char *from, const char *dxml, unsigned int flags)",
  virDomainFree: "int virDomainFree(virDomainPtr domain)",
  // — snapshots —
  virDomainSnapshotCreateXML:
    "virDomainSnapshotPtr virDomainSnapshotCreateXML(virDomainPtr domain, const char *xmlDesc, unsigned int flags)",
  virDomainSnapshotLookupByName:
    "virDomainSnapshotPtr virDomainSnapshotLookupByName(virDomainPtr domain, const char *name, unsigned int flags)",
  virDomainListAllSnapshots:
    "int virDomainListAllSnapshots(virDomainPtr domain, _Out_ void **snaps, unsigned int flags)",
  virDomainSnapshotGetName: "const char *virDomainSnapshotGetName(virDomainSnapshotPtr snapshot)",
  virDomainSnapshotGetXMLDesc:
    "HeapString virDomainSnapshotGetXMLDesc(virDomainSnapshotPtr snapshot, unsigned int flags)",
  virDomainRevertToSnapshot:
    "int virDomainRevertToSnapshot(virDomainSnapshotPtr snapshot, unsigned int flags)",
  virDomainSnapshotDelete: "int virDomainSnapshotDelete(virDomainSnapshotPtr snapshot, unsigned int flags)",
  virDomainSnapshotFree: "int virDomainSnapshotFree(virDomainSnapshotPtr snapshot)",
  // — networks —
  virConnectListAllNetworks:
    "int virConnectListAllNetworks(virConnectPtr conn, _Out_ void **nets, unsigned int flags)",
  virNetworkLookupByName: "virNetworkPtr virNetworkLookupByName(virConnectPtr conn, const char *name)",
  virNetworkDefineXML: "virNetworkPtr virNetworkDefineXML(virConnectPtr conn, const char *xmlDesc)",
  virNetworkUndefine: "int virNetworkUndefine(virNetworkPtr network)",
  virNetworkCreate: "int virNetworkCreate(virNetworkPtr network)",
  virNetworkDestroy: "int virNetworkDestroy(virNetworkPtr network)",
  virNetworkIsActive: "int virNetworkIsActive(virNetworkPtr net)",
  virNetworkGetName: "const char *virNetworkGetName(virNetworkPtr network)",
  virNetworkGetXMLDesc: "HeapString virNetworkGetXMLDesc(virNetworkPtr network, unsigned int flags)",
  virNetworkUpdate:
    "int virNetworkUpdate(virNetworkPtr network, unsigned int command, unsigned int section, int parentIndex, const char *xml, unsigned int flags)",
  virNetworkGetDHCPLeases:
    "int virNetworkGetDHCPLeases(virNetworkPtr network, const char *mac, _Out_ void **leases, unsigned int flags)",
  virNetworkDHCPLeaseFree: "void virNetworkDHCPLeaseFree(void *lease)",
  virNetworkFree: "int virNetworkFree(virNetworkPtr network)",
  // — storage —
  virConnectListAllStoragePools:
    "int virConnectListAllStoragePools(virConnectPtr conn, _Out_ void **pools, unsigned int flags)",
  virStoragePoolLookupByName:
    "virStoragePoolPtr virStoragePoolLookupByName(virConnectPtr conn, const char *name)",
  virStoragePoolCreateXML:
    "virStoragePoolPtr virStoragePoolCreateXML(virConnectPtr conn, const char *xmlDesc, unsigned int flags)",
  virStoragePoolDefineXML:
    "virStoragePoolPtr virStoragePoolDefineXML(virConnectPtr conn, const char *xml, unsigned int flags)",
  virStoragePoolBuild: "int virStoragePoolBuild(virStoragePoolPtr pool, unsigned int flags)",
  virStoragePoolCreate: "int virStoragePoolCreate(virStoragePoolPtr pool, unsigned int flags)",
  virStoragePoolSetAutostart: "int virStoragePoolSetAutostart(virStoragePoolPtr pool, int autostart)",
  virStoragePoolGetXMLDesc: "HeapString virStoragePoolGetXMLDesc(virStoragePoolPtr pool, unsigned int flags)",
  virStoragePoolDestroy: "int virStoragePoolDestroy(virStoragePoolPtr pool)",
  virStoragePoolRefresh: "int virStoragePoolRefresh(virStoragePoolPtr pool, unsigned int flags)",
  virStoragePoolGetInfo: "int virStoragePoolGetInfo(virStoragePoolPtr pool, _Out_ virStoragePoolInfo *info)",
  virStoragePoolGetName: "const char *virStoragePoolGetName(virStoragePoolPtr pool)",
  virStoragePoolListAllVolumes:
    "int virStoragePoolListAllVolumes(virStoragePoolPtr pool, _Out_ void **vols, unsigned int flags)",
  virStoragePoolFree: "int virStoragePoolFree(virStoragePoolPtr pool)",
  virStorageVolLookupByName:
    "virStorageVolPtr virStorageVolLookupByName(virStoragePoolPtr pool, const char *name)",
  virStorageVolLookupByPath:
    "virStorageVolPtr virStorageVolLookupByPath(virConnectPtr conn, const char *path)",
  virStorageVolCreateXML:
    "virStorageVolPtr virStorageVolCreateXML(virStoragePoolPtr pool, const char *xmlDesc, unsigned int flags)",
  virStorageVolCreateXMLFrom:
    "virStorageVolPtr virStorageVolCreateXMLFrom(virStoragePoolPtr pool, const char *xmlDesc, virStorageVolPtr clonevol, unsigned int flags)",
  virStorageVolResize:
    "int virStorageVolResize(virStorageVolPtr vol, unsigned long long capacity, unsigned int flags)",
  virStorageVolGetXMLDesc: "HeapString virStorageVolGetXMLDesc(virStorageVolPtr vol, unsigned int flags)",
  virStorageVolGetInfo: "int virStorageVolGetInfo(virStorageVolPtr vol, _Out_ virStorageVolInfo *info)",
  virStorageVolGetName: "const char *virStorageVolGetName(virStorageVolPtr vol)",
  virStorageVolGetPath: "HeapString virStorageVolGetPath(virStorageVolPtr vol)",
  virStorageVolDelete: "int virStorageVolDelete(virStorageVolPtr vol, unsigned int flags)",
  virStorageVolUpload:
    "int virStorageVolUpload(virStorageVolPtr vol, virStreamPtr stream, unsigned long long offset, unsigned long long length, unsigned int flags)",
  virStorageVolDownload:
    "int virStorageVolDownload(virStorageVolPtr vol, virStreamPtr stream, unsigned long long offset, unsigned long long length, unsigned int flags)",
  virStorageVolFree: "int virStorageVolFree(virStorageVolPtr vol)",
  // — devices of the hypervisor —
  virNodeDeviceLookupByName:
    "virNodeDevicePtr virNodeDeviceLookupByName(virConnectPtr conn, const char *name)",
  virNodeDeviceGetXMLDesc: "HeapString virNodeDeviceGetXMLDesc(virNodeDevicePtr dev, unsigned int flags)",
  virNodeDeviceFree: "int virNodeDeviceFree(virNodeDevicePtr dev)",
  // — streams —
  virStreamNew: "virStreamPtr virStreamNew(virConnectPtr conn, unsigned int flags)",
  virStreamSend: "int virStreamSend(virStreamPtr st, Bytes data, size_t nbytes)",
  virStreamRecv: "int virStreamRecv(virStreamPtr st, Bytes data, size_t nbytes)",
  virStreamFinish: "int virStreamFinish(virStreamPtr st)",
  virStreamAbort: "int virStreamAbort(virStreamPtr st)",
  virStreamFree: "int virStreamFree(virStreamPtr st)",
} as const;

/** Handles: pointers to things only libvirt looks into. */
export const handles = [
  "virConnectPtr",
  "virDomainPtr",
  "virDomainSnapshotPtr",
  "virNetworkPtr",
  "virStoragePoolPtr",
  "virStorageVolPtr",
  "virNodeDevicePtr",
  "virStreamPtr",
] as const;

/** Structures that libvirt fills in. */
export const structures = {
  virError: {
    code: "int",
    domain: "int",
    message: "str",
    level: "int",
    conn: "void *",
    dom: "void *",
    str1: "str",
    str2: "str",
    str3: "str",
    int1: "int",
    int2: "int",
    net: "void *",
  },
  virDomainIPAddress: { type: "int", addr: "str", prefix: "unsigned int" },
  virDomainInterface: { name: "str", hwaddr: "str", naddrs: "unsigned int", addrs: "void *" },
  virNetworkDHCPLease: {
    iface: "str",
    expirytime: "long long",
    type: "int",
    mac: "str",
    iaid: "str",
    ipaddr: "str",
    prefix: "unsigned int",
    hostname: "str",
    clientid: "str",
  },
  virStoragePoolInfo: {
    state: "int",
    capacity: "unsigned long long",
    allocation: "unsigned long long",
    available: "unsigned long long",
  },
  virStorageVolInfo: { type: "int", capacity: "unsigned long long", allocation: "unsigned long long" },
} as const;
