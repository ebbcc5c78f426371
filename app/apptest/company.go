package apptest

import (
	"context"
	"time"

	"causa/core"
	"causa/matter"
)

// Now is when the tests' clock stands still: a Saturday morning in Shanghai.
var Now = time.Date(2026, 11, 21, 10, 48, 0, 0, time.FixedZone("CST", 8*3600))

// Company returns an engine with a week of work in it, in Chinese and English, and the
// matter that its screens show.
func Company() (*Engine, matter.ID) {
	e := New("恒达食品", "林晓", Now)
	zhou := e.AddMember("周敏", matter.RoleAdmin, true)
	sun := e.AddMember("孙倩", matter.RoleMember, true)
	wang := e.AddMember("王磊", matter.RoleMember, true)
	anna := e.AddMember("Anna Berg", matter.RoleGuest, true)
	chen := e.AddMember("陈刚", matter.RoleMember, true)
	ingrid := e.AddMember("Ingrid Solberg", matter.RoleMember, true)
	e.AddMember("刘洋", matter.RoleMember, false)
	day := func(d, h, m int) time.Time { return time.Date(2026, 11, d, h, m, 0, 0, Now.Location()) }
	with := func(ids ...matter.MemberID) []matter.MemberID { return ids }
	read := func(id matter.ID) { _ = e.MarkRead(context.Background(), id, 0) }

	leave := e.Start(day(19, 9, 0), core.NewMatter{Title: "请假 · 11 月 27 日 1 天", Class: matter.ClassLeave, With: with(e.self)}, wang)
	e.Say(leave, wang, day(19, 9, 1), "家里有事，请一天假，工作已交接给陈刚。")
	read(leave)
	nordic := e.Start(day(19, 14, 0), core.NewMatter{Title: "Q4 pricing for the Nordic markets", Class: matter.ClassProject, With: with(e.self, anna)}, ingrid)
	e.Say(nordic, ingrid, day(20, 17, 40), "I'd conclude this one today, the list is final.")
	read(nordic)
	duty := e.Start(day(20, 8, 30), core.NewMatter{Title: "国庆值班安排", Class: matter.ClassNotice, With: with(e.self, sun, wang, chen)}, zhou)
	e.Say(duty, zhou, day(20, 16, 0), "值班表已更新，请各位确认自己的时段。")
	read(duty)
	wms := e.Start(day(16, 10, 0), core.NewMatter{Title: "华东仓 WMS 上线", Class: matter.ClassProject, With: with(chen, wang)}, e.self)
	e.Say(wms, e.self, day(21, 9, 31), "周五前完成回归测试")
	read(wms)
	hand := e.Start(day(18, 10, 0), core.NewMatter{Title: "客户交接：天虹百货 3 号店", Class: matter.ClassCustomer, With: with(e.self)}, chen)
	read(hand)
	for i, text := range []string{"资料在共享盘里。", "店长电话换了，我发给你。", "下周一一起去一趟？", "离职交接，你已成为负责人"} {
		e.Say(hand, chen, day(21, 9, 50+2*i), text)
	}
	travel := e.Start(day(21, 9, 0), core.NewMatter{Title: "差旅报销 · 上海展会 ¥3,860", Class: matter.ClassExpense, With: with(e.self)}, sun)
	read(travel)
	e.Say(travel, sun, day(21, 10, 20), "发票都在这里了，麻烦审批。")
	contract := e.Start(day(20, 9, 30), core.NewMatter{Title: "与 Hengda Foods 的年度供货合同", Class: matter.ClassContract, Due: day(28, 23, 59), With: with(e.self, wang, anna)}, zhou)
	e.Say(contract, zhou, day(21, 10, 12), "对方把账期从 45 天改成了 60 天，财务能接受吗？\n其他条款与去年一致。")
	e.Say(contract, anna, day(21, 10, 15), "Hengda can accept a late fee, but please put it into the contract itself, not into an annex. Our board only signs one document.")
	e.Say(contract, e.self, day(21, 10, 26), "60 天可以，但要加上逾期违约金，按 LPR 的 1.5 倍。")
	e.add(contract, matter.Message{Author: wang, Time: day(21, 10, 31), Kind: matter.KindAdded, Subjects: with(sun)})
	e.mu.Lock()
	m := e.matters[contract]
	m.Participants = append(m.Participants, sun)
	e.mu.Unlock()
	read(contract)
	e.Say(contract, sun, day(21, 10, 42), "法务意见：第 4 条改为“自第 61 天起，按 LPR × 1.5 计收违约金”，其余无异议。")
	e.Say(contract, sun, day(21, 10, 43), "建议今天办结。")
	return e, contract
}
