package store
import ("testing";"os";"fmt")
func TestTmpStat(t *testing.T){
 home:=os.Getenv("BIG"); if home=="" {t.Skip()}
 b,_:=os.ReadFile(home+"/store.key"); var k Key; copy(k[:],b)
 db:=openAt(t,home+"/main.db",k,Options{})
 view(t,db,func(tx *Tx)error{
  var pc,fl int; tx.one([]any{&pc},"pragma page_count"); tx.one([]any{&fl},"pragma freelist_count"); t.Log("pages",pc,"free",fl)
  var data,docsz,n int64
  for k:=0;k<shards;k++{ var a,b,c int64; tx.one([]any{&a,&c},fmt.Sprintf("select sum(length(block)),count(*) from search_%02d_data",k)); tx.one([]any{&b},fmt.Sprintf("select count(*)*1.0 from search_%02d_docsize",k)); data+=a; docsz+=b; n+=c}
  t.Log("fts data MB",float64(data)/1e6,"blocks",n,"docs",docsz)
  var txt,cnt int64; tx.one([]any{&txt,&cnt},"select sum(length(cast(text as blob))),count(*) from message"); t.Log("text MB",float64(txt)/1e6,cnt)
  return nil})
}
