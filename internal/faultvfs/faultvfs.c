//go:build cgo

/* A VFS that asks Go before each call that touches the disk. For tests only. */
#include "../../store/sealvfs/sqlite3abi.h"
#include <stdint.h>
#include <string.h>
#include "_cgo_export.h"

typedef struct {
  sqlite3_file base;
  sqlite3_file *real;
  uintptr_t id;
  char *name;
} File;

typedef struct {
  sqlite3_vfs *real;
  uintptr_t id;
  int shared; /* connections may share memory, as beside a log they do */
} App;

static int ask(uintptr_t id, int op, const char *name, sqlite3_int64 off, const void *z, int n){
  return goFault(id, op, (char*)name, off, (void*)z, n);
}
#define ASK(p, op, off, z, n) do{ int rc_ = ask((p)->id, op, (p)->name, off, z, n); if( rc_ ) return rc_; }while(0)

static int fClose(sqlite3_file *f){
  File *p = (File*)f;
  int rc = p->real->pMethods->xClose(p->real);
  sqlite3_free(p->name);
  return rc;
}
static int fRead(sqlite3_file *f, void *z, int n, sqlite3_int64 o){
  File *p = (File*)f;
  ASK(p, 'r', o, 0, n);
  return p->real->pMethods->xRead(p->real, z, n, o);
}
static int fWrite(sqlite3_file *f, const void *z, int n, sqlite3_int64 o){
  File *p = (File*)f;
  ASK(p, 'w', o, z, n);
  return p->real->pMethods->xWrite(p->real, z, n, o);
}
static int fTruncate(sqlite3_file *f, sqlite3_int64 n){
  File *p = (File*)f;
  ASK(p, 't', n, 0, 0);
  return p->real->pMethods->xTruncate(p->real, n);
}
static int fSync(sqlite3_file *f, int fl){
  File *p = (File*)f;
  ASK(p, 's', 0, 0, 0);
  return p->real->pMethods->xSync(p->real, fl);
}
static int fSize(sqlite3_file *f, sqlite3_int64 *o){
  File *p = (File*)f;
  ASK(p, 'z', 0, 0, 0);
  return p->real->pMethods->xFileSize(p->real, o);
}
#define R(f) (((File*)(f))->real)
static int fLock(sqlite3_file *f, int e){ return R(f)->pMethods->xLock(R(f), e); }
static int fUnlock(sqlite3_file *f, int e){ return R(f)->pMethods->xUnlock(R(f), e); }
static int fReserved(sqlite3_file *f, int *o){ return R(f)->pMethods->xCheckReservedLock(R(f), o); }
static int fControl(sqlite3_file *f, int op, void *a){ return R(f)->pMethods->xFileControl(R(f), op, a); }
static int fSector(sqlite3_file *f){ return R(f)->pMethods->xSectorSize(R(f)); }
static int fDevice(sqlite3_file *f){ return R(f)->pMethods->xDeviceCharacteristics(R(f)); }

/* Version 1: no shared memory, which sealvfs must not ask for. */
static const sqlite3_io_methods kIo = {
  1, fClose, fRead, fWrite, fTruncate, fSync, fSize, fLock, fUnlock, fReserved,
  fControl, fSector, fDevice, 0, 0, 0, 0, 0, 0
};

static int fShmMap(sqlite3_file *f, int i, int n, int e, void volatile **pp){ return R(f)->pMethods->xShmMap(R(f), i, n, e, pp); }
static int fShmLock(sqlite3_file *f, int o, int n, int fl){ return R(f)->pMethods->xShmLock(R(f), o, n, fl); }
static void fShmBarrier(sqlite3_file *f){ R(f)->pMethods->xShmBarrier(R(f)); }
static int fShmUnmap(sqlite3_file *f, int del){ return R(f)->pMethods->xShmUnmap(R(f), del); }
static const sqlite3_io_methods kShared = {
  2, fClose, fRead, fWrite, fTruncate, fSync, fSize, fLock, fUnlock, fReserved,
  fControl, fSector, fDevice, fShmMap, fShmLock, fShmBarrier, fShmUnmap, 0, 0
};

static App *app(sqlite3_vfs *v){ return v->pAppData; }

static int vOpen(sqlite3_vfs *v, const char *z, sqlite3_file *f, int fl, int *o){
  File *p = (File*)f;
  int rc;
  memset(p, 0, sizeof(*p)+app(v)->real->szOsFile);
  rc = ask(app(v)->id, 'o', z ? z : "", fl, 0, 0);
  if( rc ) return rc;
  p->real = (sqlite3_file*)&p[1];
  p->id = app(v)->id;
  p->name = sqlite3_mprintf("%s", z ? z : "");
  if( p->name==0 ) return SQLITE_NOMEM;
  rc = app(v)->real->xOpen(app(v)->real, z, p->real, fl, o);
  if( rc ){
    if( p->real->pMethods ) p->real->pMethods->xClose(p->real);
    sqlite3_free(p->name);
    return rc;
  }
  p->base.pMethods = app(v)->shared ? &kShared : &kIo;
  return SQLITE_OK;
}
static int vDelete(sqlite3_vfs *v, const char *z, int s){
  int rc = ask(app(v)->id, 'd', z, s, 0, 0);
  return rc ? rc : app(v)->real->xDelete(app(v)->real, z, s);
}
static int vAccess(sqlite3_vfs *v, const char *z, int fl, int *o){ return app(v)->real->xAccess(app(v)->real, z, fl, o); }
static int vFull(sqlite3_vfs *v, const char *z, int n, char *o){ return app(v)->real->xFullPathname(app(v)->real, z, n, o); }
static int vRandom(sqlite3_vfs *v, int n, char *o){ return app(v)->real->xRandomness(app(v)->real, n, o); }
static int vSleep(sqlite3_vfs *v, int us){ return app(v)->real->xSleep(app(v)->real, us); }
static int vTime(sqlite3_vfs *v, double *o){ return app(v)->real->xCurrentTime(app(v)->real, o); }
static int vErr(sqlite3_vfs *v, int n, char *o){ return app(v)->real->xGetLastError(app(v)->real, n, o); }
static int vTime64(sqlite3_vfs *v, sqlite3_int64 *o){ return app(v)->real->xCurrentTimeInt64(app(v)->real, o); }

int faultRegister(const char *name, uintptr_t id, int shared){
  sqlite3_vfs *v = sqlite3_malloc(sizeof(*v));
  App *a = sqlite3_malloc(sizeof(*a));
  if( v==0 || a==0 ) return SQLITE_NOMEM;
  memset(v, 0, sizeof(*v));
  a->real = sqlite3_vfs_find(0);
  a->id = id;
  a->shared = shared;
  if( a->real==0 ) return SQLITE_ERROR;
  v->iVersion = 2;
  v->szOsFile = (int)sizeof(File) + a->real->szOsFile;
  v->mxPathname = a->real->mxPathname;
  v->zName = sqlite3_mprintf("%s", name);
  v->pAppData = a;
  v->xOpen = vOpen; v->xDelete = vDelete; v->xAccess = vAccess; v->xFullPathname = vFull;
  v->xRandomness = vRandom; v->xSleep = vSleep; v->xCurrentTime = vTime;
  v->xGetLastError = vErr; v->xCurrentTimeInt64 = vTime64;
  return sqlite3_vfs_register(v, 0);
}
