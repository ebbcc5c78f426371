//go:build cgo

/*
** The rollback journal. A store runs in WAL mode and makes one only while its
** file is created; backups and VACUUM INTO may too.
**
** SQLite writes headers of 512 bytes, of which 28 mean something, each followed by
** records of page number, page and checksum (4104 bytes). On disk every 512 bytes
** inside have 576 to themselves, so that a piece and its seal fit where it starts:
**
**   header at L : ct[20] | tag | nonce | zeros                 role 'h', offset L
**   record at L : ct[4104] | tag | nonce | zeros               role 'j', offset L,
**                                                   checksum seed of its header
**
** A sealed header has 60 bytes and never crosses a sector, so a power cut leaves
** the old one or the new one. What was synced before the number of records was
** written authenticates or has been tampered with.
*/
#include "sealvfs.h"
#include "_cgo_export.h"

#define CELL 512
#define STEP (CELL + 64)
#define HSEAL (JHDR + OVH)
#define RSEAL (JREC + OVH)
#define HASMAGIC 0x80

static const u8 kMagic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

static i64 phys(i64 l){ return l/CELL*STEP + l%CELL; }

/* The header that governs offset l, or -1. */
static i64 segOf(Seal *p, i64 l){
  int i;
  for(i=p->nSeg-1; i>=0; i--) if( p->seg[i]<=l ) return p->seg[i];
  return -1;
}

static int addSeg(Seal *p, i64 l){
  i64 *s;
  while( p->nSeg>0 && p->seg[p->nSeg-1]>=l ) p->nSeg--;
  s = sqlite3_realloc(p->seg, (p->nSeg+1)*(int)sizeof(i64));
  if( s==0 ) return SQLITE_NOMEM;
  p->seg = s;
  p->seg[p->nSeg++] = l;
  return SQLITE_OK;
}

/* The journal can be read once the main file's salt is known. */
static int ready(Seal *p){ return p->node->aead!=0; }

static int writeCell(Seal *p){
  Aad a;
  u8 plain[JHDR], out[STEP];
  memcpy(plain, p->cell+8, JHDR);
  if( p->cell[0] ) plain[12] |= HASMAGIC;          /* high byte of the sector size */
  memset(out, 0, sizeof(out));
  sealAad(&a, 'h', 0, p->cellAt, 0);
  if( goSealSeal(p->node->aead, a.b, plain, out, JHDR) ) return SQLITE_IOERR_WRITE;
  return sealWrite(p, out, STEP, phys(p->cellAt));
}

/* Brings the header at l into p->cell. *pFound is 0 where there is none. */
static int readCell(Seal *p, i64 l, int *pFound){
  Aad a;
  u8 d[HSEAL];
  int rc;
  *pFound = 1;
  if( p->cellAt==l ) return SQLITE_OK;
  rc = sealRead(p, d, HSEAL, phys(l));
  if( rc==SQLITE_IOERR_SHORT_READ || (rc==SQLITE_OK && sealZero(d, HSEAL)) ){
    *pFound = 0;
    return rc;
  }
  if( rc ) return rc;
  sealAad(&a, 'h', 0, l, 0);
  if( !ready(p) || goSealOpen(p->node->aead, a.b, d, JHDR) ){
    return sealFail(p->node, EV_JOURNAL, l, SQLITE_IOERR_DATA);
  }
  memset(p->cell, 0, 8);
  memcpy(p->cell+8, d, JHDR);
  if( p->cell[20] & HASMAGIC ){
    p->cell[20] &= (u8)~HASMAGIC;
    memcpy(p->cell, kMagic, 8);
  }
  p->cellAt = l;
  return addSeg(p, l);
}

static int recordAad(Seal *p, i64 l, Aad *a){
  u8 seed[8];
  i64 h = segOf(p, l);
  int rc, found;
  if( h<0 ) return SQLITE_IOERR_READ;
  if( (rc = readCell(p, h, &found))!=SQLITE_OK ) return rc;
  if( !found ) return SQLITE_IOERR_READ;
  memset(seed, 0, 8);
  memcpy(seed, p->cell+12, 4);
  sealAad(a, 'j', 0, l, seed);
  return SQLITE_OK;
}

/* Brings the record at l into p->last. */
static int readRecord(Seal *p, i64 l){
  Aad a;
  int rc;
  if( p->recAt==l && p->recHave==3 ) return SQLITE_OK;
  p->recAt = -1;
  if( (rc = recordAad(p, l, &a))!=SQLITE_OK ) return rc;
  if( (rc = sealRead(p, p->buf, RSEAL, phys(l)))!=SQLITE_OK ) return rc;
  if( !ready(p) || goSealOpen(p->node->aead, a.b, p->buf, JREC) ){
    return sealFail(p->node, EV_JOURNAL, l, SQLITE_IOERR_DATA);
  }
  memcpy(p->last, p->buf, JREC);
  p->recAt = l;
  p->recHave = 3;
  return SQLITE_OK;
}

static int writeRecord(Seal *p){
  Aad a;
  i64 l = p->recAt, end = phys(l+JREC);
  int rc, n = (int)(end-phys(l));
  if( (rc = recordAad(p, l, &a))!=SQLITE_OK ) return rc;
  memset(p->buf, 0, n);
  if( goSealSeal(p->node->aead, a.b, p->last, p->buf, JREC) ) return SQLITE_IOERR_WRITE;
  p->recHave = 3;
  return sealWrite(p, p->buf, n, phys(l));
}

int sealJournalRead(Seal *p, u8 *z, int n, i64 off){
  i64 h, r;
  int rc, found;
  memset(z, 0, n);
  if( off%CELL==0 && (n==8 || (n==1 && off==0)) ){         /* is there a header? */
    rc = readCell(p, off, &found);
    if( rc==SQLITE_OK && found ) memcpy(z, p->cell, n);
    return rc;
  }
  h = segOf(p, off);
  if( h<0 ) return SQLITE_OK;       /* the search for a super-journal's name: none */
  if( off+n<=h+28 ){
    rc = readCell(p, h, &found);
    if( rc==SQLITE_OK && found ) memcpy(z, p->cell+(off-h), n);
    return rc;
  }
  r = (off-h-CELL)%JREC;
  if( off<h+CELL || !((r==0 && n==4) || (r==4 && n==PGSZ) || (r==4+PGSZ && n==4)) ) return SQLITE_OK;
  if( (rc = readRecord(p, off-r))!=SQLITE_OK ) return rc;
  memcpy(z, p->last+r, n);
  return SQLITE_OK;
}

int sealJournalWrite(Seal *p, const u8 *z, int n, i64 off){
  int rc, found;
  i64 h, r;
  if( !ready(p) ){
    /* The first transaction of a new file writes its journal before page 1. */
    if( (rc = sealNewHead(p->node))!=SQLITE_OK ) return rc;
  }

  if( off%CELL==0 && n==CELL ){                            /* a header */
    if( !sealZero(z+28, n-28) ) return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_WRITE);
    /* A new journal begins. What an earlier one may have left behind, because it
    ** never became hot, goes first: no piece of it can be taken for one of this. */
    if( off==0 && (rc = sealJournalTruncate(p, 0))!=SQLITE_OK ) return rc;
    if( (rc = addSeg(p, off))!=SQLITE_OK ) return rc;
    memcpy(p->cell, z, 28);
    p->cellAt = off;
    p->recAt = -1;
    return writeCell(p);
  }
  if( off==0 && n==28 && sealZero(z, n) ){                 /* the journal is over */
    return sealJournalTruncate(p, 0);
  }
  h = segOf(p, off);
  if( h>=0 && off==h && n==12 ){                           /* magic and count */
    if( (rc = readCell(p, h, &found))!=SQLITE_OK ) return rc;
    if( !found ) return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_WRITE);
    memcpy(p->cell, z, 12);
    return writeCell(p);
  }
  r = h<0 ? -1 : (off-h-CELL)%JREC;
  if( r==0 && n==4 ){
    p->recAt = off;
    p->recHave = 1;
    memcpy(p->last, z, 4);
    return SQLITE_OK;
  }
  if( r==4 && n==PGSZ && p->recAt==off-4 && p->recHave==1 && sealZero(z+BODY, OVH) ){
    p->recHave = 2;
    memcpy(p->last+4, z, PGSZ);
    return SQLITE_OK;
  }
  if( r==4+PGSZ && n==4 && p->recAt==off-r && p->recHave==2 ){
    memcpy(p->last+r, z, 4);
    return writeRecord(p);
  }
  return sealFail(p->node, EV_SHAPE, off, SQLITE_IOERR_WRITE);
}

int sealJournalTruncate(Seal *p, i64 n){
  if( n!=0 ) return sealFail(p->node, EV_SHAPE, n, SQLITE_IOERR_WRITE);
  p->nSeg = 0;
  p->cellAt = p->recAt = -1;
  return p->real->pMethods->xTruncate(p->real, 0);
}

int sealJournalSize(Seal *p, i64 *pn){
  i64 n;
  int rc = p->real->pMethods->xFileSize(p->real, &n);
  if( rc ) return rc;
  *pn = n/STEP*CELL + (n%STEP<CELL ? n%STEP : CELL);
  return SQLITE_OK;
}
