//go:build cgo

/*
** What the handles of one file share: locks and the WAL's index.
**
** SQLite keeps the index in a -shm file, which would hold page numbers and a
** running checksum of plaintext. Here it lives in memory, so exactly one process
** may have the file open: the first handle takes the operating system's exclusive
** lock, and file and index locks are then kept in memory as well.
*/
#include "sealvfs.h"
#include "_cgo_export.h"

static Node *gNodes;   /* guarded by SQLITE_MUTEX_STATIC_VFS3 */

static void enterAll(void){ sqlite3_mutex_enter(sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS3)); }
static void leaveAll(void){ sqlite3_mutex_leave(sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS3)); }

static void closeLock(Node *n){
  if( n->lockFile ){
    if( n->lockFile->pMethods ){
      n->lockFile->pMethods->xUnlock(n->lockFile, SQLITE_LOCK_NONE);
      n->lockFile->pMethods->xClose(n->lockFile);
    }
    sqlite3_free(n->lockFile);
    n->lockFile = 0;
  }
  if( n->lockName ) sqlite3_free_filename(n->lockName);
  n->lockName = 0;
}

/* Takes the operating system's lock for this process: exclusive, or shared when
** the file can only be read. */
static int takeLock(sqlite3_vfs *base, Node *n, int readOnly){
  int rc, out = 0;
  int flags = SQLITE_OPEN_MAIN_DB | (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE|SQLITE_OPEN_CREATE);
  n->lockName = sqlite3_create_filename(n->path, "", "", 0, 0);
  n->lockFile = sqlite3_malloc(base->szOsFile);
  if( n->lockName==0 || n->lockFile==0 ) return SQLITE_NOMEM;
  memset(n->lockFile, 0, base->szOsFile);
  rc = base->xOpen(base, n->lockName, n->lockFile, flags, &out);
  if( rc ) return rc;
  n->readOnly = readOnly || (out & SQLITE_OPEN_READONLY)!=0;
  rc = n->lockFile->pMethods->xLock(n->lockFile, SQLITE_LOCK_SHARED);
  if( rc==SQLITE_OK && !n->readOnly ){
    rc = n->lockFile->pMethods->xLock(n->lockFile, SQLITE_LOCK_EXCLUSIVE);
  }
  return rc;
}

static void freeNode(Node *n){
  int i;
  closeLock(n);
  for(i=0; i<n->nRegion; i++) sqlite3_free(n->region[i]);
  sqlite3_free(n->region);
  if( n->aead ) goSealForget(n->aead);
  if( n->mu ) sqlite3_mutex_free(n->mu);
  sqlite3_free(n->path);
  sqlite3_free(n);
}

/* Whether the file that a node is about is no longer the one at its path: it was
** removed or replaced while a handle is still open. */
static int moved(Node *n){
  int yes = 0;
  sqlite3_file *f = n->lockFile;
  return f->pMethods->xFileControl(f, SQLITE_FCNTL_HAS_MOVED, &yes)==SQLITE_OK && yes;
}

static void unlinkNode(Node *n){
  Node **pp;
  for(pp=&gNodes; *pp && *pp!=n; pp=&(*pp)->next){}
  if( *pp ) *pp = n->next;
}

int sealNodeGet(sqlite3_vfs *base, const char *zName, uintptr_t key, int readOnly, Node **pp){
  Node *n;
  int rc = SQLITE_OK;
  *pp = 0;
  enterAll();
  for(n=gNodes; n && strcmp(n->path, zName); n=n->next){}
  if( n && moved(n) ){
    unlinkNode(n);                                 /* it goes with its last handle */
    n = 0;
  }
  if( n ){
    /* Two keys for one open file: one of them is wrong. */
    if( n->key!=key && !goSealSameKey(n->key, key) ) rc = SQLITE_NOTADB;
    else n->refs++;
  }else{
    n = sqlite3_malloc(sizeof(*n));
    if( n==0 ){
      leaveAll();
      return SQLITE_NOMEM;
    }
    memset(n, 0, sizeof(*n));
    n->key = key;
    n->refs = 1;
    n->mu = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
    n->path = sqlite3_mprintf("%s", zName);
    rc = n->mu==0 || n->path==0 ? SQLITE_NOMEM : takeLock(base, n, readOnly);
    if( rc ){
      freeNode(n);
      n = 0;
    }else{
      n->next = gNodes;
      gNodes = n;
    }
  }
  leaveAll();
  if( rc==SQLITE_OK ) *pp = n;
  if( rc==SQLITE_BUSY ) goSealEvent(key, EV_ELSEWHERE, 0, 0);
  if( rc==SQLITE_NOTADB ) goSealEvent(key, EV_PAGE, 1, 0);
  return rc;
}

void sealNodePut(Node *n){
  enterAll();
  if( --n->refs==0 ){
    unlinkNode(n);
    freeNode(n);
  }
  leaveAll();
}

/* ------------------------------------------------------------- file locks */

static int lockLocked(Seal *p, int level){
  Node *n = p->node;
  if( p->lock>=level ) return SQLITE_OK;
  if( level==SQLITE_LOCK_SHARED ){
    if( n->pending ) return SQLITE_BUSY;
    n->shared++;
    p->lock = level;
    return SQLITE_OK;
  }
  if( (n->reserved && n->reserved!=p) || (n->pending && n->pending!=p) ) return SQLITE_BUSY;
  if( level==SQLITE_LOCK_RESERVED ){
    n->reserved = p;
    p->lock = level;
    return SQLITE_OK;
  }
  n->pending = p;                                  /* no new readers from here on */
  p->lock = SQLITE_LOCK_PENDING;
  if( n->shared>1 ) return SQLITE_BUSY;
  p->lock = SQLITE_LOCK_EXCLUSIVE;
  return SQLITE_OK;
}

int sealLock(Seal *p, int level){
  int rc;
  sqlite3_mutex_enter(p->node->mu);
  rc = lockLocked(p, level);
  sqlite3_mutex_leave(p->node->mu);
  return rc;
}

int sealUnlock(Seal *p, int level){
  Node *n = p->node;
  sqlite3_mutex_enter(n->mu);
  if( p->lock>level ){
    if( n->reserved==p ) n->reserved = 0;
    if( n->pending==p ) n->pending = 0;
    if( level==SQLITE_LOCK_NONE ) n->shared--;
    p->lock = level;
  }
  sqlite3_mutex_leave(n->mu);
  return SQLITE_OK;
}

int sealReserved(Seal *p, int *out){
  sqlite3_mutex_enter(p->node->mu);
  *out = p->node->reserved!=0 || p->node->pending!=0;
  sqlite3_mutex_leave(p->node->mu);
  return SQLITE_OK;
}

/* -------------------------------------------------------------- the index */

static int mapLocked(Seal *p, int i, int size, int extend, void volatile **pp){
  Node *n = p->node;
  if( !p->shmMapped ){
    p->shmMapped = 1;
    n->shmRefs++;
  }
  if( i>=n->nRegion ){
    u8 **r;
    if( !extend ) return SQLITE_OK;
    r = sqlite3_realloc(n->region, (i+1)*(int)sizeof(u8*));
    if( r==0 ) return SQLITE_NOMEM;
    n->region = r;
    while( n->nRegion<=i ){
      u8 *m = sqlite3_malloc(size);
      if( m==0 ) return SQLITE_NOMEM;
      memset(m, 0, size);
      n->region[n->nRegion++] = m;
    }
  }
  *pp = n->region[i];
  return SQLITE_OK;
}

int sealShmMap(Seal *p, int i, int size, int extend, void volatile **pp){
  int rc;
  *pp = 0;
  sqlite3_mutex_enter(p->node->mu);
  rc = mapLocked(p, i, size, extend, pp);
  sqlite3_mutex_leave(p->node->mu);
  return rc;
}

static int shmLocked(Seal *p, int ofst, int cnt, int flags){
  Node *n = p->node;
  int i;
  for(i=ofst; i<ofst+cnt; i++){
    unsigned bit = 1u<<i;
    if( flags & SQLITE_SHM_UNLOCK ) continue;
    if( flags & SQLITE_SHM_SHARED ){
      if( n->shmLock[i]<0 && !(p->shmExcl & bit) ) return SQLITE_BUSY;
    }else if( n->shmLock[i]!=0 && !(p->shmExcl & bit) ){
      return SQLITE_BUSY;
    }
  }
  for(i=ofst; i<ofst+cnt; i++){
    unsigned bit = 1u<<i;
    if( flags & SQLITE_SHM_UNLOCK ){
      if( p->shmExcl & bit ){
        n->shmLock[i] = 0;
        p->shmExcl &= ~bit;
      }else if( p->shmShared & bit ){
        n->shmLock[i]--;
        p->shmShared &= ~bit;
      }
    }else if( flags & SQLITE_SHM_SHARED ){
      if( (p->shmShared | p->shmExcl) & bit ) continue;
      n->shmLock[i]++;
      p->shmShared |= bit;
    }else{
      n->shmLock[i] = -1;
      p->shmExcl |= bit;
    }
  }
  return SQLITE_OK;
}

int sealShmLock(Seal *p, int ofst, int cnt, int flags){
  int rc;
  sqlite3_mutex_enter(p->node->mu);
  rc = shmLocked(p, ofst, cnt, flags);
  sqlite3_mutex_leave(p->node->mu);
  return rc;
}

void sealShmBarrier(Seal *p){
  __sync_synchronize();
  sqlite3_mutex_enter(p->node->mu);
  sqlite3_mutex_leave(p->node->mu);
}

int sealShmUnmap(Seal *p){
  Node *n = p->node;
  int i;
  sqlite3_mutex_enter(n->mu);
  if( p->shmMapped ){
    shmLocked(p, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK|SQLITE_SHM_SHARED);
    p->shmMapped = 0;
    if( --n->shmRefs==0 ){
      for(i=0; i<n->nRegion; i++) sqlite3_free(n->region[i]);
      sqlite3_free(n->region);
      n->region = 0;
      n->nRegion = 0;
    }
  }
  sqlite3_mutex_leave(n->mu);
  return SQLITE_OK;
}
