// Package corpus makes up what people in a company write to each other, in Chinese and
// English, the same for the same seed. It is for benchmarks and large test stores.
package corpus

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// A Gen makes texts. It is not safe for concurrent use.
type Gen struct {
	r   *rand.Rand
	cum []float64 // how often each of topics comes, added up
}

// New returns a generator.
func New(seed uint64) *Gen {
	g := &Gen{r: rand.New(rand.NewPCG(seed, 20261121))}
	sum := 0.0
	for i := range topics {
		sum += 1 / math.Pow(float64(i+4), 0.85)
		g.cum = append(g.cum, sum)
	}
	return g
}

// Rand is the generator's source of chance.
func (g *Gen) Rand() *rand.Rand { return g.r }

func pick[T any](g *Gen, from []T) T { return from[g.r.IntN(len(from))] }

// Topic is a Chinese word of business life; a few are common and many are rare.
func (g *Gen) Topic() string {
	x := g.r.Float64() * g.cum[len(g.cum)-1]
	lo, hi := 0, len(g.cum)-1
	for lo < hi {
		if mid := (lo + hi) / 2; g.cum[mid] < x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return topics[lo]
}

// Person is a Chinese name.
func (g *Gen) Person() string {
	n := pick(g, surnames) + pick(g, givens)
	if g.r.IntN(3) > 0 {
		n += pick(g, givens)
	}
	return n
}

// Company is a made-up customer.
func (g *Gen) Company() string {
	return pick(g, places) + pick(g, givens) + pick(g, givens) + pick(g, trades) + pick(g, []string{"有限公司", "股份公司", "集团", "事务所"})
}

// Title is what a matter is called.
func (g *Gen) Title() string {
	switch g.r.IntN(6) {
	case 0:
		return g.Company() + g.Topic() + pick(g, []string{"合同", "报价", "续约", "验收"})
	case 1:
		return fmt.Sprintf("%d月%s%s", 1+g.r.IntN(12), g.Topic(), pick(g, []string{"报销", "汇总", "计划", "检查"}))
	case 2:
		return g.Person() + pick(g, []string{"请假", "入职", "转正", "出差申请"})
	case 3:
		return pick(g, english) + " " + pick(g, english) + fmt.Sprintf(" Q%d", 1+g.r.IntN(4))
	default:
		return g.Topic() + g.Topic() + pick(g, []string{"项目", "方案", "安排", "问题", "会议"})
	}
}

// slots fills a template: T topic, P person, C company, N number, D day, W English word.
func (g *Gen) slots(b *strings.Builder, template string) {
	for _, r := range template {
		switch r {
		case 'T':
			b.WriteString(g.Topic())
		case 'P':
			b.WriteString(g.Person())
		case 'C':
			b.WriteString(g.Company())
		case 'N':
			fmt.Fprint(b, 1+g.r.IntN(pick(g, []int{9, 99, 999, 99999})))
		case 'D':
			b.WriteString(pick(g, days))
		case 'W':
			b.WriteString(pick(g, english))
		default:
			b.WriteRune(r)
		}
	}
}

// Message is what somebody says: mostly a sentence or two, now and then a long text.
func (g *Gen) Message() string {
	n := 1
	switch x := g.r.IntN(100); {
	case x < 45:
	case x < 80:
		n = 2 + g.r.IntN(2)
	case x < 97:
		n = 4 + g.r.IntN(5)
	default:
		n = 15 + g.r.IntN(30)
	}
	var b strings.Builder
	en := g.r.IntN(7) == 0
	for i := range n {
		if en {
			if i > 0 {
				b.WriteByte(' ')
			}
			g.slotsEnglish(&b)
			continue
		}
		g.slots(&b, pick(g, clauses))
		if i == n-1 && g.r.IntN(3) == 0 {
			b.WriteString(pick(g, closings))
		} else {
			b.WriteString(pick(g, stops))
		}
	}
	return b.String()
}

func (g *Gen) slotsEnglish(b *strings.Builder) {
	for i, w := range strings.Fields(pick(g, sentences)) {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch w {
		case "_w":
			w = pick(g, english)
		case "_n":
			w = fmt.Sprint(1 + g.r.IntN(9999))
		case "_p":
			w = pick(g, []string{"Anna", "Chen", "David", "Li Wei", "Maria", "Tom", "Yuki", "Zhang Min"})
		}
		b.WriteString(w)
	}
}

// Times returns n moments between from and to at which people at work write, in order.
func (g *Gen) Times(n int, from, to time.Time) []time.Time {
	out := make([]time.Time, 0, n)
	days := int(to.Sub(from).Hours()/24) + 1
	weights := make([]float64, days)
	sum := 0.0
	for d := range weights {
		w := 0.4 + 0.6*float64(d)/float64(days) // the company grows
		if wd := from.AddDate(0, 0, d).Weekday(); wd == time.Saturday || wd == time.Sunday {
			w *= 0.08
		}
		weights[d] = w
		sum += w
	}
	made := 0.0
	for d, w := range weights {
		made += w
		count := int(made/sum*float64(n)) - len(out)
		start := from.AddDate(0, 0, d).Truncate(24 * time.Hour).Add(time.Hour) // 9:00 in Shanghai
		step := 10 * time.Hour / time.Duration(count+1)
		for i := range count {
			out = append(out, start.Add(time.Duration(i)*step+time.Duration(g.r.Int64N(int64(step)+1))))
		}
	}
	for len(out) < n {
		out = append(out, to)
	}
	return out
}
