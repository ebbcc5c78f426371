/*
** What the C files of this package share. sealvfs.go says what the package is
** for; docs/store.md holds the format.
*/
#ifndef CAUSA_SEALVFS_H
#define CAUSA_SEALVFS_H
#include "sqlite3abi.h"
#include <stdint.h>
#include <string.h>

typedef sqlite3_int64 i64;
typedef unsigned char u8;

/* Sizes, in bytes. */
#define PGSZ 4096             /* a page; nothing else is accepted */
#define TAG 16                /* Poly1305 */
#define NONCE 24              /* XChaCha20 */
#define OVH (TAG + NONCE)     /* = SQLite's reserved bytes */
#define BODY (PGSZ - OVH)     /* what a page holds */
#define HEAD 16               /* magic[3] version[1] salt[12], page 1 only */
#define WHDR 32               /* WAL header, as SQLite sees it */
#define FHDR 24               /* WAL frame header */
#define FRAME (FHDR + PGSZ)   /* a frame: the same size inside and on disk */
#define JHDR 20               /* what a journal header seals */
#define JREC (4 + PGSZ + 4)   /* a journal record, as SQLite sees it */
#define STRIDE 1024           /* room behind a frame: a journal record on disk */
#define LOCKPAGE 0x40000000   /* the byte at which SQLite's lock page starts */

/* What is reported to Go; Kind in report.go lists the same numbers. */
enum {
  EV_PAGE = 1,    /* a page of the main file does not authenticate */
  EV_SHORT,       /* the main file ends before a page that was written */
  EV_WALHDR,      /* the WAL's header does not authenticate */
  EV_WALFRAME,    /* a WAL frame in use does not authenticate */
  EV_WALTAIL,     /* recovery ended the log at this frame */
  EV_JOURNAL,     /* a rollback journal does not authenticate */
  EV_SHAPE,       /* SQLite asked for something this VFS does not know */
  EV_TEMP,        /* a temporary file was refused */
  EV_ELSEWHERE    /* another process has the file open */
};

typedef struct Seal Seal;
typedef struct Node Node;

/* One main file that is open in this process, whatever the number of handles. */
struct Node {
  Node *next;
  char *path;
  int refs;
  int readOnly;             /* the file can't be written: nothing beside it is, either */
  uintptr_t key;            /* Go: the key */
  uintptr_t aead;           /* Go: the cipher of this file, 0 before its salt is known */
  u8 head[HEAD];            /* first bytes of the file */
  const char *lockName;     /* from sqlite3_create_filename */
  sqlite3_file *lockFile;   /* holds the operating system's lock for the process */

  sqlite3_mutex *mu;        /* guards all below */
  i64 known;                /* bytes the main file has, at least */
  i64 claim;                /* bytes its page 1 said it has when it was opened, */
  i64 found;                /* and those it had: less when it was cut */
  int shared;               /* emulated file locks */
  Seal *reserved, *pending;
  int shmRefs;              /* emulated shared memory */
  int nRegion;
  u8 **region;
  int shmLock[SQLITE_SHM_NLOCK]; /* -1 exclusive, otherwise count of shared */
  int haveSalts;
  u8 salts[8];              /* of the WAL's present generation */
  i64 written;              /* frames known to be in it */
};

enum { F_MAIN = 1, F_WAL, F_JOURNAL, F_MEMORY };

/* One open file. */
struct Seal {
  sqlite3_file base;
  sqlite3_file *real;
  int kind;
  uintptr_t key;            /* main file: Go's key, told when the handle closes */
  Node *node;
  u8 *buf;                  /* scratch: what is on disk */
  /* main */
  int lock;
  int shmMapped;
  unsigned shmShared, shmExcl;
  /* WAL */
  i64 pendFrame;            /* its header is in pend, its page is not written yet */
  u8 pend[FHDR];
  i64 lastFrame;            /* last frame read whole, in last */
  u8 *last;
  /* journal */
  i64 *seg;                 /* offsets of headers, ascending */
  int nSeg;
  i64 cellAt;               /* the header in cell */
  u8 cell[28];
  i64 recAt;                /* the record in last */
  int recHave;              /* 1: page number written, 2: page as well, 3: all */
  /* memory */
  u8 *mem;
  i64 nMem, nAlloc;
};

/* aad.c */
typedef struct { u8 b[32]; } Aad;
void sealAad(Aad*, char role, uint32_t pgno, i64 index, const u8 *salts);
uint32_t sealGet4(const u8*);
void sealPut4(u8*, uint32_t);
int sealZero(const u8*, int n);
int sealFail(Node*, int what, i64 where, int rc);
void sealWipe(void*, int n);
int sealRead(Seal*, void*, int n, i64 off);
int sealWrite(Seal*, const void*, int n, i64 off);
int sealLoadHead(Seal *mainFile, int *pHave);
int sealNewHead(Node*);

/* mainfile.c */
int sealMainRead(Seal*, void*, int n, i64 off);
int sealMainWrite(Seal*, const u8*, int n, i64 off);
int sealMainTruncate(Seal*, i64 n);
int sealMainOpened(Seal*);

/* wal.c */
int sealWalRead(Seal*, u8*, int n, i64 off);
int sealWalWrite(Seal*, const u8*, int n, i64 off);
int sealWalTruncate(Seal*, i64 n);
int sealWalSize(Seal*, i64 *pn);

/* journal.c */
int sealJournalRead(Seal*, u8*, int n, i64 off);
int sealJournalWrite(Seal*, const u8*, int n, i64 off);
int sealJournalTruncate(Seal*, i64 n);
int sealJournalSize(Seal*, i64 *pn);

/* share.c */
int sealNodeGet(sqlite3_vfs *base, const char *zName, uintptr_t key, int readOnly, Node **pp);
void sealNodePut(Node*);
int sealLock(Seal*, int level);
int sealUnlock(Seal*, int level);
int sealReserved(Seal*, int *out);
int sealShmMap(Seal*, int i, int size, int extend, void volatile **pp);
int sealShmLock(Seal*, int ofst, int n, int flags);
void sealShmBarrier(Seal*);
int sealShmUnmap(Seal*);

/* vfs.c */
int sealRegister(const char *name, const char *base);
#endif
