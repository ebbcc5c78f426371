//go:build cgo

/*
** The main file.
**
**   page p  : ct[0..4056) | tag[16] | nonce[24]               role 'P', page p
**   page 1  : head[16] | ct[16..4056) | tag[16] | nonce[24]
**
** SQLite would keep a constant where page 1 has its head. Every page that
** exists authenticates: holes are filled with sealed zero pages.
*/
#include "sealvfs.h"
#include "_cgo_export.h"

static const u8 kMagic[16] = "SQLite format 3";

/* A page past the end of the file is zeros for SQLite. That is only right when
** the file was never longer. */
static int pastEnd(Seal *p, uint32_t pgno, u8 *d){
  i64 size = 0, off = (i64)(pgno-1)*PGSZ;
  int rc = p->real->pMethods->xFileSize(p->real, &size), cut;
  memset(d, 0, PGSZ);
  if( rc ) return rc;
  sqlite3_mutex_enter(p->node->mu);
  cut = size>off || off<p->node->known || off<p->node->claim;
  sqlite3_mutex_leave(p->node->mu);
  if( cut ) return sealFail(p->node, EV_SHORT, pgno, pgno==1 ? SQLITE_NOTADB : SQLITE_IOERR_DATA);
  return SQLITE_IOERR_SHORT_READ;
}

static int readPage(Seal *p, uint32_t pgno, u8 *d){
  Node *n = p->node;
  Aad a;
  int rc, have, skip = pgno==1 ? HEAD : 0;
  rc = sealRead(p, d, PGSZ, (i64)(pgno-1)*PGSZ);
  if( rc==SQLITE_IOERR_SHORT_READ ) return pastEnd(p, pgno, d);
  if( rc ) return rc;
  if( (rc = sealLoadHead(p, &have))!=SQLITE_OK ) return rc;
  sealAad(&a, 'P', pgno, 0, 0);
  if( !have || (skip && memcmp(d, n->head, HEAD)) || goSealOpen(n->aead, a.b, d+skip, BODY-skip) ){
    memset(d, 0, PGSZ);
    return sealFail(n, EV_PAGE, pgno, pgno==1 ? SQLITE_NOTADB : SQLITE_IOERR_DATA);
  }
  if( skip ) memcpy(d, kMagic, 16);
  memset(d+BODY, 0, OVH);
  return SQLITE_OK;
}

int sealMainRead(Seal *p, void *z, int n, i64 off){
  int rc;
  if( n==PGSZ && off%PGSZ==0 ) return readPage(p, (uint32_t)(off/PGSZ)+1, z);
  if( off==0 && n<=100 ){
    /* SQLite peeks at the header before any lock and before it recovers a hot
    ** journal, to learn the page size and the reserve. Both are fixed here, so
    ** the file isn't touched: a torn page 1 still lets recovery run, and a new
    ** file gets its reserve without a file control. */
    u8 h[100];
    memset(h, 0, sizeof(h));
    memcpy(h, kMagic, 16);
    h[16] = PGSZ>>8; h[18] = h[19] = 1; h[20] = OVH;
    h[21] = 64; h[22] = 32; h[23] = 32;
    memcpy(z, h, n);
    return SQLITE_OK;
  }
  if( (off%PGSZ)+n>PGSZ ) return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_READ);
  rc = readPage(p, (uint32_t)(off/PGSZ)+1, p->buf);
  if( rc!=SQLITE_OK && rc!=SQLITE_IOERR_SHORT_READ ){
    memset(z, 0, n);
    return rc;
  }
  memcpy(z, p->buf+(off%PGSZ), n);
  return rc;
}

static int writePage(Seal *p, uint32_t pgno, const u8 *z){
  Node *n = p->node;
  Aad a;
  int skip = pgno==1 ? HEAD : 0;
  sealAad(&a, 'P', pgno, 0, 0);
  if( skip ) memcpy(p->buf, n->head, HEAD);
  if( goSealSeal(n->aead, a.b, (u8*)z+skip, p->buf+skip, BODY-skip) ) return SQLITE_IOERR_WRITE;
  return sealWrite(p, p->buf, PGSZ, (i64)(pgno-1)*PGSZ);
}

/* Makes the file at least n bytes long with sealed zero pages. The lock page is
** left out: SQLite never reads it, and Windows locks its bytes. In the part that
** a cut file lacks the pages stay unsealed, so that reading one is an error. */
static int fill(Seal *p, i64 n){
  static const u8 zeros[PGSZ];
  i64 size, claim, found;
  int rc = p->real->pMethods->xFileSize(p->real, &size);
  if( rc ) return rc;
  sqlite3_mutex_enter(p->node->mu);
  claim = p->node->claim;
  found = p->node->found;
  sqlite3_mutex_leave(p->node->mu);
  for(size = size/PGSZ*PGSZ; size<n; size += PGSZ){
    if( size==LOCKPAGE ) continue;
    if( size>=found && size<claim ){
      rc = sealWrite(p, zeros, PGSZ, size);
    }else{
      rc = writePage(p, (uint32_t)(size/PGSZ)+1, zeros);
    }
    if( rc ) return rc;
  }
  return SQLITE_OK;
}

static void setKnown(Node *n, i64 size){
  sqlite3_mutex_enter(n->mu);
  if( size>n->known ) n->known = size;
  sqlite3_mutex_leave(n->mu);
}

static i64 getKnown(Node *n){
  i64 k;
  sqlite3_mutex_enter(n->mu);
  k = n->known;
  sqlite3_mutex_leave(n->mu);
  return k;
}

int sealMainWrite(Seal *p, const u8 *z, int n, i64 off){
  int rc, have;
  if( n!=PGSZ || off%PGSZ || !sealZero(z+BODY, OVH) ){
    return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_WRITE);
  }
  if( off==0 && (memcmp(z, kMagic, 16) || z[20]!=OVH || z[16]!=(PGSZ>>8) || z[17]!=0) ){
    return sealFail(p->node, EV_SHAPE, 1, SQLITE_IOERR_WRITE);
  }
  if( (rc = sealLoadHead(p, &have))!=SQLITE_OK ) return rc;
  if( !have && (rc = sealNewHead(p->node))!=SQLITE_OK ) return rc;
  if( off>getKnown(p->node) && (rc = fill(p, off))!=SQLITE_OK ) return rc;
  rc = writePage(p, (uint32_t)(off/PGSZ)+1, z);
  if( rc==SQLITE_OK ) setKnown(p->node, off+PGSZ);
  return rc;
}

/* SQLite also truncates a file to more than it has, after a checkpoint. */
int sealMainTruncate(Seal *p, i64 n){
  i64 size;
  int rc = p->real->pMethods->xFileSize(p->real, &size);
  if( rc ) return rc;
  if( n>size ){
    if( p->node->aead==0 ) return sealFail(p->node, EV_SHAPE, n, SQLITE_IOERR_WRITE);
    rc = fill(p, n);
  }else{
    rc = p->real->pMethods->xTruncate(p->real, n);
  }
  if( rc ) return rc;
  sqlite3_mutex_enter(p->node->mu);
  p->node->known = n;
  if( p->node->claim>n ) p->node->claim = n;
  sqlite3_mutex_leave(p->node->mu);
  return SQLITE_OK;
}

/* Called for the first handle of a file: how long must it be? Page 1 says how
** many pages the last checkpoint left, so a file that was cut is found even
** when a WAL is beside it. A page 1 that can't be read is reported when SQLite
** reads it: a hot journal may be about to restore it. */
int sealMainOpened(Seal *p){
  Node *n = p->node;
  Aad a;
  i64 size;
  int rc, have;
  if( (rc = p->real->pMethods->xFileSize(p->real, &size))!=SQLITE_OK ) return rc;
  setKnown(n, size);
  if( size<PGSZ ) return SQLITE_OK;
  if( (rc = sealRead(p, p->buf, PGSZ, 0))!=SQLITE_OK ) return rc;
  if( sealLoadHead(p, &have)!=SQLITE_OK || !have ) return SQLITE_OK;
  sealAad(&a, 'P', 1, 0, 0);
  if( goSealOpen(n->aead, a.b, p->buf+HEAD, BODY-HEAD)==0 ){
    sqlite3_mutex_enter(n->mu);
    n->claim = (i64)sealGet4(p->buf+28)*PGSZ;
    n->found = size/PGSZ*PGSZ;
    sqlite3_mutex_leave(n->mu);
  }
  return SQLITE_OK;
}
