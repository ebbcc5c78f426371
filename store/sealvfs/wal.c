//go:build cgo

/*
** The write-ahead log.
**
**   header  : ct[32] | tag | nonce                             role 'H'
**   frame k : ct[24+4056] | tag | nonce      role 'W', index k
**                                   or role 'w', index k, salts of the log
**
** A frame's header and page are sealed as one piece. The seal takes the place of
** the page's reserved bytes, so a frame is as long as SQLite thinks, and only the
** header is longer.
**
** The log's salts change whenever the log starts again from its beginning. They
** stand in each frame's header, inside the seal, and are compared when the frame
** is opened: a frame of an earlier round is never read as one of this round.
** Once a transaction has rewritten a frame in place, SQLite leaves the salts of
** its further frames zero until it commits; those are bound by their role.
*/
#include "sealvfs.h"
#include "_cgo_export.h"

#define PHDR (WHDR + OVH)
#define SEALED (FHDR + BODY)
#define POS(k) ((i64)PHDR + (k)*(i64)FRAME)

/* What opening a frame can find. */
enum { OPENED = 0, BROKEN, MISSING, STALE };

static int loaded(Seal *p){ return p->node->aead!=0; }

static int getSalts(Node *n, u8 *s){
  int have;
  sqlite3_mutex_enter(n->mu);
  have = n->haveSalts;
  memcpy(s, n->salts, 8);
  sqlite3_mutex_leave(n->mu);
  return have;
}

static void setSalts(Node *n, const u8 *s){
  sqlite3_mutex_enter(n->mu);
  memcpy(n->salts, s, 8);
  n->haveSalts = 1;
  n->written = 0;
  sqlite3_mutex_leave(n->mu);
}

static void setWritten(Node *n, i64 k){
  sqlite3_mutex_enter(n->mu);
  if( k>=n->written ) n->written = k+1;
  sqlite3_mutex_leave(n->mu);
}

static int wasWritten(Node *n, i64 k){
  int yes;
  sqlite3_mutex_enter(n->mu);
  yes = k<n->written;
  sqlite3_mutex_leave(n->mu);
  return yes;
}

/* Reads and opens the header into z. */
static int readHeader(Seal *p, u8 *z){
  Aad a;
  int rc = sealRead(p, p->buf, PHDR, 0);
  memset(z, 0, WHDR);
  if( rc ) return rc;
  if( sealZero(p->buf, PHDR) ) return SQLITE_OK;
  sealAad(&a, 'H', 0, 0, 0);
  if( !loaded(p) || goSealOpen(p->node->aead, a.b, p->buf, WHDR) ){
    return sealFail(p->node, EV_WALHDR, 0, SQLITE_IOERR_DATA);
  }
  memcpy(z, p->buf, WHDR);
  return SQLITE_OK;
}

/* Reads frame k to d and opens it. With loose set, the salts aren't compared. */
static int readFrame(Seal *p, i64 k, u8 *d, int *pWhat, int loose){
  Aad a;
  u8 salts[8];
  int rc = sealRead(p, d, FRAME, POS(k));
  *pWhat = MISSING;
  if( rc==SQLITE_IOERR_SHORT_READ ) return SQLITE_OK;
  if( rc ) return rc;
  if( sealZero(d, FRAME) ) return SQLITE_OK;
  *pWhat = BROKEN;
  if( !loaded(p) || !getSalts(p->node, salts) ) return SQLITE_OK;
  sealAad(&a, 'W', 0, k, 0);
  if( goSealOpen(p->node->aead, a.b, d, SEALED) ){
    /* The cipher leaves what it can't open cleared, so it is read again. */
    if( (rc = sealRead(p, d, FRAME, POS(k)))!=SQLITE_OK ) return rc;
    sealAad(&a, 'w', 0, k, salts);
    if( goSealOpen(p->node->aead, a.b, d, SEALED) ) return SQLITE_OK;
  }else if( memcmp(d+8, salts, 8) && !loose ){
    *pWhat = STALE;
    return SQLITE_OK;
  }
  memset(d+SEALED, 0, OVH);
  *pWhat = OPENED;
  return SQLITE_OK;
}

/* Recovery met a frame that does not authenticate. Tells Go how many whole
** transactions of the same round lie behind it: none after a power cut, since
** each transaction is synced before the next one starts. */
static void reportTail(Seal *p, i64 k){
  i64 size = 0, j, ends = 0;
  int what, inLater = 0;
  u8 salts[8];
  if( p->real->pMethods->xFileSize(p->real, &size) || !getSalts(p->node, salts) ) return;
  for(j=k+1; POS(j)+FRAME<=size; j++){
    if( readFrame(p, j, p->buf, &what, 0) ) break;
    if( what!=OPENED || memcmp(p->buf+8, salts, 8) ) continue;
    if( inLater ) ends++;                          /* written after a synced end */
    inLater = sealGet4(p->buf+4)!=0;
  }
  goSealEvent(p->node->key, EV_WALTAIL, k, ends);
}

static int wholeFrame(Seal *p, i64 k, u8 *z){
  int what, rc;
  p->lastFrame = -1;
  rc = readFrame(p, k, p->last, &what, 1);
  if( rc ) return rc;
  if( what==MISSING || what==BROKEN ){
    if( wasWritten(p->node, k) ) return sealFail(p->node, EV_WALFRAME, k, SQLITE_IOERR_DATA);
    memset(z, 0, FRAME);
    reportTail(p, k);
    return SQLITE_OK;
  }
  memcpy(z, p->last, FRAME);
  p->lastFrame = k;
  return SQLITE_OK;
}

int sealWalRead(Seal *p, u8 *z, int n, i64 off){
  i64 k;
  int r, rc, what;
  if( off+n<=WHDR ){
    u8 h[WHDR];
    rc = readHeader(p, h);
    memcpy(z, h+off, n);
    if( rc==SQLITE_OK && off==0 && n==WHDR ) setSalts(p->node, h+16);
    return rc;
  }
  if( off<WHDR ) return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_READ);
  k = (off-WHDR)/FRAME;
  r = (int)((off-WHDR)%FRAME);
  if( r+n>FRAME ) return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_READ);
  /* Recovery reads whole frames, and so does the rewriting of checksums. */
  if( r==0 && n==FRAME ) return wholeFrame(p, k, z);
  if( (rc = readFrame(p, k, p->buf, &what, 0))!=SQLITE_OK ) return rc;
  if( what!=OPENED ){
    memset(z, 0, n);
    return sealFail(p->node, EV_WALFRAME, k, SQLITE_IOERR_DATA);
  }
  memcpy(z, p->buf+r, n);
  return SQLITE_OK;
}

static int sealFrame(Seal *p, i64 k, const u8 *hdr, const u8 *page){
  Aad a;
  u8 salts[8];
  int rc;
  if( !getSalts(p->node, salts) ) return sealFail(p->node, EV_SHAPE, k, SQLITE_IOERR_WRITE);
  if( sealZero(hdr+8, 8) ){
    sealAad(&a, 'w', 0, k, salts);
  }else if( memcmp(hdr+8, salts, 8)==0 ){
    sealAad(&a, 'W', 0, k, 0);
  }else{
    return sealFail(p->node, EV_SHAPE, k, SQLITE_IOERR_WRITE);
  }
  memmove(p->buf, hdr, FHDR);
  memcpy(p->buf+FHDR, page, BODY);
  if( goSealSeal(p->node->aead, a.b, p->buf, p->buf, SEALED) ) return SQLITE_IOERR_WRITE;
  rc = sealWrite(p, p->buf, FRAME, POS(k));
  if( rc==SQLITE_OK ) setWritten(p->node, k);
  return rc;
}

static int writeHeader(Seal *p, const u8 *z){
  Aad a;
  int rc;
  p->pendFrame = p->lastFrame = -1;
  sealAad(&a, 'H', 0, 0, 0);
  if( goSealSeal(p->node->aead, a.b, (u8*)z, p->buf, WHDR) ) return SQLITE_IOERR_WRITE;
  rc = sealWrite(p, p->buf, PHDR, 0);
  if( rc==SQLITE_OK ) setSalts(p->node, z+16);
  return rc;
}

int sealWalWrite(Seal *p, const u8 *z, int n, i64 off){
  u8 hdr[FHDR];
  i64 k;
  int r, rc, what;
  if( !loaded(p) ) return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_WRITE);
  if( off==0 && n==WHDR ) return writeHeader(p, z);
  if( off<WHDR ) return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_WRITE);
  k = (off-WHDR)/FRAME;
  r = (int)((off-WHDR)%FRAME);
  if( r==0 && n==FHDR ){
    if( p->lastFrame==k ){                         /* a new checksum for a frame just read */
      p->lastFrame = -1;
      return sealFrame(p, k, z, p->last+FHDR);
    }
    memcpy(p->pend, z, FHDR);                      /* its page comes next */
    p->pendFrame = k;
    return SQLITE_OK;
  }
  if( r!=FHDR || n!=PGSZ || !sealZero(z+BODY, OVH) ){
    return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_WRITE);
  }
  if( p->pendFrame==k ){
    memcpy(hdr, p->pend, FHDR);
  }else{                                           /* a page rewritten in place */
    if( (rc = readFrame(p, k, p->buf, &what, 0))!=SQLITE_OK ) return rc;
    if( what!=OPENED ) return sealFail(p->node, EV_WALFRAME, k, SQLITE_IOERR_DATA);
    memcpy(hdr, p->buf, FHDR);
  }
  p->pendFrame = -1;
  return sealFrame(p, k, hdr, z);
}

int sealWalSize(Seal *p, i64 *pn){
  i64 n;
  int rc = p->real->pMethods->xFileSize(p->real, &n);
  if( rc ) return rc;
  *pn = n==0 ? 0 : n<=PHDR ? WHDR : n-OVH;
  return SQLITE_OK;
}

int sealWalTruncate(Seal *p, i64 n){
  p->pendFrame = p->lastFrame = -1;
  if( n>0 ) n += OVH;
  return p->real->pMethods->xTruncate(p->real, n);
}
