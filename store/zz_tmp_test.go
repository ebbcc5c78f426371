package store
import ("testing";"os";"time";"context";"causa/internal/bigstore/corpus";"golang.org/x/sys/unix";"sort")
func cpuNow() time.Duration { var u unix.Rusage; unix.Getrusage(unix.RUSAGE_SELF,&u); return time.Duration(u.Utime.Nano()+u.Stime.Nano())}
func TestTmpSearch(t *testing.T){
 home:=os.Getenv("BIG"); if home=="" {t.Skip()}
 b,_:=os.ReadFile(home+"/store.key"); var k Key; copy(k[:],b)
 db:=openAt(t,home+"/main.db",k,Options{})
 g:=corpus.New(3)
 var cs []float64
 for i:=0;i<150;i++{ q:=string([]rune(g.Topic())[:2]); c:=cpuNow(); s:=time.Now()
  var n int
  if err:=db.View(context.Background(),func(tx *Tx)error{ h,_,err:=tx.Search(Query{Text:q}); n=len(h); return err});err!=nil{t.Fatal(err)}
  d:=(cpuNow()-c).Seconds()*1e3; cs=append(cs,d)
  if i<25 {t.Log(q,n,"cpu",d,"wall",time.Since(s))}
 }
 sort.Float64s(cs); t.Log("cpu median",cs[75],"p95",cs[142])
}
func TestTmpOptimize(t *testing.T){
 home:=os.Getenv("BIG"); if home=="" {t.Skip()}
 b,_:=os.ReadFile(home+"/store.key"); var k Key; copy(k[:],b)
 db:=openAt(t,home+"/main.db",k,Options{})
 for s:=int64(0);s<shards;s++{ c:=cpuNow(); w:=time.Now(); tb:=shardTable(s)
  update(t,db,func(tx *Tx)error{ return tx.exec("insert into "+tb+"("+tb+") values('optimize')")})
  if s<6 {t.Log("optimize",s,"cpu",cpuNow()-c,"wall",time.Since(w))}
 }
}
