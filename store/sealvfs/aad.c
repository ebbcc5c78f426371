//go:build cgo

/* Small things that every file kind needs. */
#include "sealvfs.h"
#include "_cgo_export.h"

#define VERSION 1

/* The associated data of a sealed piece: what it is and where it belongs. */
void sealAad(Aad *a, char role, uint32_t pgno, i64 index, const u8 *salts){
  memset(a, 0, sizeof(*a));
  a->b[0] = (u8)role;
  a->b[1] = VERSION;
  sealPut4(a->b+4, pgno);
  sealPut4(a->b+8, (uint32_t)((uint64_t)index>>32));
  sealPut4(a->b+12, (uint32_t)index);
  if( salts ) memcpy(a->b+16, salts, 8);
}

void sealPut4(u8 *d, uint32_t v){
  d[0] = (u8)(v>>24); d[1] = (u8)(v>>16); d[2] = (u8)(v>>8); d[3] = (u8)v;
}

uint32_t sealGet4(const u8 *s){
  return ((uint32_t)s[0]<<24) | ((uint32_t)s[1]<<16) | ((uint32_t)s[2]<<8) | s[3];
}

int sealZero(const u8 *z, int n){
  int i;
  for(i=0; i<n; i++) if( z[i] ) return 0;
  return 1;
}

int sealFail(Node *n, int what, i64 where, int rc){
  goSealEvent(n ? n->key : 0, what, where, 0);
  return rc;
}

/* Clears plaintext before its memory is given back. */
void sealWipe(void *p, int n){
  volatile u8 *v = p;
  if( p ) while( n-- ) *v++ = 0;
}

int sealRead(Seal *p, void *z, int n, i64 off){
  return p->real->pMethods->xRead(p->real, z, n, off);
}

int sealWrite(Seal *p, const void *z, int n, i64 off){
  return p->real->pMethods->xWrite(p->real, z, n, off);
}

/* Learns the file's salt from its first bytes, once. *pHave is 0 while the file
** is empty. mainFile may be any handle whose real file is the main file. */
int sealLoadHead(Seal *m, int *pHave){
  Node *n = m->node;
  u8 h[HEAD];
  int rc;
  *pHave = 1;
  sqlite3_mutex_enter(n->mu);
  if( n->aead ){
    sqlite3_mutex_leave(n->mu);
    return SQLITE_OK;
  }
  rc = sealRead(m, h, HEAD, 0);
  if( rc==SQLITE_OK ){
    memcpy(n->head, h, HEAD);
    n->aead = goSealDerive(n->key, h);
    if( n->aead==0 ) rc = SQLITE_NOTADB;       /* not ours, or of a newer format */
  }else if( rc==SQLITE_IOERR_SHORT_READ ){
    *pHave = 0;
    rc = SQLITE_OK;
  }
  sqlite3_mutex_leave(n->mu);
  return rc==SQLITE_NOTADB ? sealFail(n, EV_PAGE, 1, rc) : rc;
}

/* Gives a file that is still empty its salt. */
int sealNewHead(Node *n){
  int rc = SQLITE_OK;
  sqlite3_mutex_enter(n->mu);
  if( n->aead==0 ){
    goSealNewHead(n->head);
    n->aead = goSealDerive(n->key, n->head);
    if( n->aead==0 ) rc = SQLITE_IOERR_WRITE;
  }
  sqlite3_mutex_leave(n->mu);
  return rc;
}
