//go:build cgo

/* The VFS itself: opening files and handing each call to its kind. */
#include "sealvfs.h"
#include "_cgo_export.h"

static sqlite3_vfs *baseOf(sqlite3_vfs *v){ return v->pAppData; }

/* ------------------------------------------------- statement journals
** SQLite asks for a file once the journal of one statement outgrows 64 KB. It
** gets memory instead: nothing of a temporary kind reaches the disk. */

static int memWrite(Seal *p, const void *z, int n, i64 off){
  if( off+n>p->nAlloc ){
    i64 want = p->nAlloc*2>off+n ? p->nAlloc*2 : off+n+65536;
    u8 *m;
    if( want>0x40000000 ) return SQLITE_NOMEM;
    if( (m = sqlite3_realloc(p->mem, (int)want))==0 ) return SQLITE_NOMEM;
    memset(m+p->nAlloc, 0, (size_t)(want-p->nAlloc));
    p->mem = m;
    p->nAlloc = want;
  }
  memcpy(p->mem+off, z, n);
  if( off+n>p->nMem ) p->nMem = off+n;
  return SQLITE_OK;
}

static int memRead(Seal *p, void *z, int n, i64 off){
  int have = off<p->nMem ? (int)(p->nMem-off<n ? p->nMem-off : n) : 0;
  memset(z, 0, n);
  memcpy(z, p->mem+(have ? off : 0), have);
  return have==n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

/* ------------------------------------------------------------ io methods */

static int ioClose(sqlite3_file *f){
  Seal *p = (Seal*)f;
  int rc = SQLITE_OK;
  if( p->kind==F_MAIN ){
    sealShmUnmap(p);
    sealUnlock(p, SQLITE_LOCK_NONE);
  }
  if( p->real && p->real->pMethods ) rc = p->real->pMethods->xClose(p->real);
  if( p->kind==F_MAIN ){
    sealNodePut(p->node);
    goSealHandle(p->key, -1);
  }
  sealWipe(p->buf, p->buf ? FRAME+STRIDE : 0);
  sealWipe(p->last, p->last ? FRAME : 0);
  sealWipe(p->mem, p->mem ? (int)p->nAlloc : 0);
  sqlite3_free(p->buf);
  sqlite3_free(p->last);
  sqlite3_free(p->mem);
  sqlite3_free(p->seg);
  memset(p, 0, sizeof(*p));
  return rc;
}

static int ioRead(sqlite3_file *f, void *z, int n, sqlite3_int64 off){
  Seal *p = (Seal*)f;
  switch( p->kind ){
    case F_MAIN:    return sealMainRead(p, z, n, off);
    case F_WAL:     return sealWalRead(p, z, n, off);
    case F_JOURNAL: return sealJournalRead(p, z, n, off);
  }
  return memRead(p, z, n, off);
}

static int ioWrite(sqlite3_file *f, const void *z, int n, sqlite3_int64 off){
  Seal *p = (Seal*)f;
  switch( p->kind ){
    case F_MAIN:    return sealMainWrite(p, z, n, off);
    case F_WAL:     return sealWalWrite(p, z, n, off);
    case F_JOURNAL: return sealJournalWrite(p, z, n, off);
  }
  return memWrite(p, z, n, off);
}

static int ioTruncate(sqlite3_file *f, sqlite3_int64 n){
  Seal *p = (Seal*)f;
  switch( p->kind ){
    case F_MAIN:    return sealMainTruncate(p, n);
    case F_WAL:     return sealWalTruncate(p, n);
    case F_JOURNAL: return sealJournalTruncate(p, n);
  }
  if( n<p->nMem ) p->nMem = n;
  return SQLITE_OK;
}

static int ioSync(sqlite3_file *f, int flags){
  Seal *p = (Seal*)f;
  if( p->kind==F_MEMORY ) return SQLITE_OK;
  if( p->kind==F_WAL && p->pendFrame>=0 ) return sealFail(p->node, EV_SHAPE, p->pendFrame, SQLITE_IOERR_WRITE);
  return p->real->pMethods->xSync(p->real, flags);
}

static int ioSize(sqlite3_file *f, sqlite3_int64 *pn){
  Seal *p = (Seal*)f;
  switch( p->kind ){
    case F_MAIN:    return p->real->pMethods->xFileSize(p->real, pn);
    case F_WAL:     return sealWalSize(p, pn);
    case F_JOURNAL: return sealJournalSize(p, pn);
  }
  *pn = p->nMem;
  return SQLITE_OK;
}

static int ioLock(sqlite3_file *f, int e){
  Seal *p = (Seal*)f;
  return p->kind==F_MAIN ? sealLock(p, e) : SQLITE_OK;
}
static int ioUnlock(sqlite3_file *f, int e){
  Seal *p = (Seal*)f;
  return p->kind==F_MAIN ? sealUnlock(p, e) : SQLITE_OK;
}
static int ioReserved(sqlite3_file *f, int *o){
  Seal *p = (Seal*)f;
  *o = 0;
  return p->kind==F_MAIN ? sealReserved(p, o) : SQLITE_OK;
}

/* Only the controls known to be harmless go through; a size hint, for one, would
** make the file longer by bytes that don't authenticate. */
static int ioControl(sqlite3_file *f, int op, void *arg){
  Seal *p = (Seal*)f;
  int rc;
  switch( op ){
    case SQLITE_FCNTL_MMAP_SIZE:
      *(sqlite3_int64*)arg = 0;
      return SQLITE_OK;
    case SQLITE_FCNTL_VFSNAME:
      *(char**)arg = sqlite3_mprintf("seal");
      return SQLITE_OK;
    case SQLITE_FCNTL_PERSIST_WAL:
    case SQLITE_FCNTL_LAST_ERRNO:
    case SQLITE_FCNTL_HAS_MOVED:
    case SQLITE_FCNTL_SYNC:
      if( p->kind==F_MEMORY ) return SQLITE_NOTFOUND;
      rc = p->real->pMethods->xFileControl(p->real, op, arg);
      return rc;
  }
  return SQLITE_NOTFOUND;
}

static int ioSector(sqlite3_file *f){ (void)f; return PGSZ; }

/* Journal headers of 512 bytes and unpadded WAL writes depend on powersafe
** overwrite, which SQLite's own build sets as well. Atomic writes, appends that
** need no count and reads of parts of pages don't hold here. */
static int ioDevice(sqlite3_file *f){
  Seal *p = (Seal*)f;
  int d = p->kind==F_MEMORY ? 0 : p->real->pMethods->xDeviceCharacteristics(p->real);
  return (d & SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN) | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int ioShmMap(sqlite3_file *f, int i, int n, int e, void volatile **pp){ return sealShmMap((Seal*)f, i, n, e, pp); }
static int ioShmLock(sqlite3_file *f, int o, int n, int fl){ return sealShmLock((Seal*)f, o, n, fl); }
static void ioShmBarrier(sqlite3_file *f){ sealShmBarrier((Seal*)f); }
static int ioShmUnmap(sqlite3_file *f, int del){ (void)del; return sealShmUnmap((Seal*)f); }

/* Version 2: shared memory, but no xFetch, so SQLite never maps the file. */
static const sqlite3_io_methods kIo = {
  2, ioClose, ioRead, ioWrite, ioTruncate, ioSync, ioSize, ioLock, ioUnlock, ioReserved,
  ioControl, ioSector, ioDevice, ioShmMap, ioShmLock, ioShmBarrier, ioShmUnmap, 0, 0
};

/* ------------------------------------------------------------------- vfs */

static int openParts(sqlite3_vfs *v, const char *zName, Seal *p, int flags, int *pOut){
  sqlite3_vfs *base = baseOf(v);
  int rc, out = 0;
  if( p->kind==F_WAL && p->node->readOnly ){
    /* A log that is there is read; where there is none, none is made. */
    flags = (flags & ~(SQLITE_OPEN_READWRITE|SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    if( base->xAccess(base, zName, 0, &rc) || !rc ) p->kind = F_MEMORY;
    if( pOut ) *pOut = flags;
  }
  if( p->kind!=F_MEMORY ){
    p->buf = sqlite3_malloc(FRAME+STRIDE);
    if( p->buf==0 ) return SQLITE_NOMEM;
    if( p->kind!=F_MAIN && (p->last = sqlite3_malloc(FRAME))==0 ) return SQLITE_NOMEM;
    p->real = (sqlite3_file*)&p[1];
    rc = base->xOpen(base, zName, p->real, flags, &out);
    if( pOut ) *pOut = out;
    if( rc ) return rc;
  }
  if( p->kind==F_MAIN ){
    p->key = (uintptr_t)sqlite3_uri_int64(zName, "sealkey", 0);
    rc = sealNodeGet(base, zName, p->key, (out & SQLITE_OPEN_READONLY)!=0, &p->node);
    if( rc ) return rc;
    goSealHandle(p->key, 1);
    if( p->node->refs==1 ) return sealMainOpened(p);
  }
  return SQLITE_OK;
}

static int vOpen(sqlite3_vfs *v, const char *zName, sqlite3_file *f, int flags, int *pOut){
  Seal *p = (Seal*)f;
  int rc;
  memset(p, 0, sizeof(*p)+baseOf(v)->szOsFile);
  p->pendFrame = p->lastFrame = p->cellAt = p->recAt = -1;
  p->base.pMethods = &kIo;                         /* so that xClose cleans up */
  if( flags & SQLITE_OPEN_MAIN_DB ){
    p->kind = F_MAIN;
    if( !goSealKnown((uintptr_t)sqlite3_uri_int64(zName, "sealkey", 0)) ){
      p->base.pMethods = 0;
      return SQLITE_CANTOPEN;
    }
  }else if( flags & (SQLITE_OPEN_WAL|SQLITE_OPEN_MAIN_JOURNAL) ){
    Seal *m = (Seal*)sqlite3_database_file_object(zName);
    if( m==0 || m->base.pMethods!=&kIo || m->kind!=F_MAIN ){
      p->base.pMethods = 0;
      return SQLITE_CANTOPEN;
    }
    p->kind = (flags & SQLITE_OPEN_WAL) ? F_WAL : F_JOURNAL;
    p->node = m->node;
    if( p->kind==F_JOURNAL && m->real ){           /* a hot journal needs the salt */
      int have;
      if( (rc = sealLoadHead(m, &have))!=SQLITE_OK && have ){
        p->base.pMethods = 0;
        return rc;
      }
    }
  }else if( flags & SQLITE_OPEN_SUBJOURNAL ){
    p->kind = F_MEMORY;
  }else{
    p->base.pMethods = 0;
    return sealFail(0, EV_TEMP, flags, SQLITE_CANTOPEN);
  }
  rc = openParts(v, zName, p, flags, pOut);
  if( rc ){
    if( p->kind==F_MAIN && p->node==0 ) p->kind = F_MEMORY;   /* nothing shared to give back */
    ioClose(f);
    p->base.pMethods = 0;
  }
  return rc;
}

static int vDelete(sqlite3_vfs *v, const char *z, int s){ return baseOf(v)->xDelete(baseOf(v), z, s); }
static int vAccess(sqlite3_vfs *v, const char *z, int fl, int *o){ return baseOf(v)->xAccess(baseOf(v), z, fl, o); }
static int vFull(sqlite3_vfs *v, const char *z, int n, char *o){ return baseOf(v)->xFullPathname(baseOf(v), z, n, o); }
static void *vDlOpen(sqlite3_vfs *v, const char *z){ (void)v; (void)z; return 0; }
static void vDlError(sqlite3_vfs *v, int n, char *z){ (void)v; if( n>0 ) z[0] = 0; }
static void (*vDlSym(sqlite3_vfs *v, void *h, const char *z))(void){ (void)v; (void)h; (void)z; return 0; }
static void vDlClose(sqlite3_vfs *v, void *h){ (void)v; (void)h; }
static int vRandom(sqlite3_vfs *v, int n, char *o){ return baseOf(v)->xRandomness(baseOf(v), n, o); }
static int vSleep(sqlite3_vfs *v, int us){ return baseOf(v)->xSleep(baseOf(v), us); }
static int vTime(sqlite3_vfs *v, double *o){ return baseOf(v)->xCurrentTime(baseOf(v), o); }
static int vLastErr(sqlite3_vfs *v, int n, char *o){
  return baseOf(v)->xGetLastError ? baseOf(v)->xGetLastError(baseOf(v), n, o) : 0;
}
static int vTime64(sqlite3_vfs *v, sqlite3_int64 *o){ return baseOf(v)->xCurrentTimeInt64(baseOf(v), o); }

/* Registers a sealing VFS called name over the VFS called base, beside the
** default one, which stays what it is. */
int sealRegister(const char *name, const char *base){
  sqlite3_vfs *real, *v;
  if( sqlite3_vfs_find(name) ) return SQLITE_OK;
  real = sqlite3_vfs_find(*base ? base : 0);
  if( real==0 || real->iVersion<2 ) return SQLITE_NOTFOUND;
  v = sqlite3_malloc(sizeof(*v));
  if( v==0 ) return SQLITE_NOMEM;
  memset(v, 0, sizeof(*v));
  v->iVersion = 2;
  v->szOsFile = (int)sizeof(Seal) + real->szOsFile;
  v->mxPathname = real->mxPathname;
  v->zName = sqlite3_mprintf("%s", name);
  v->pAppData = real;
  v->xOpen = vOpen; v->xDelete = vDelete; v->xAccess = vAccess; v->xFullPathname = vFull;
  v->xDlOpen = vDlOpen; v->xDlError = vDlError; v->xDlSym = vDlSym; v->xDlClose = vDlClose;
  v->xRandomness = vRandom; v->xSleep = vSleep; v->xCurrentTime = vTime;
  v->xGetLastError = vLastErr; v->xCurrentTimeInt64 = vTime64;
  if( v->zName==0 ) return SQLITE_NOMEM;
  return sqlite3_vfs_register(v, 0);
}
