package db

import (
	"context"
	"fmt"
)

// maxProblems is how many problems of one sort are told.
const maxProblems = 20

// What SQLite itself finds. PostgreSQL has no such query; its operator has pg_amcheck.
var fileQueries = []string{
	`SELECT 'file: ' || integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
	`SELECT 'table ' || "table" || ', row ' || coalesce(rowid, '?') || ' refers to nothing in ' || parent FROM pragma_foreign_key_check`,
}

// What must hold in a sound database beyond what its tables enforce. Each query finds
// what does not and says so; it names nothing but numbers.
var problemQueries = []string{
	// PostgreSQL's tables don't enforce these, for speed.
	`SELECT 'matter ' || e.matter || ', entry ' || e.seq || ': refers to nothing in ' || CASE WHEN m.no IS NULL THEN 'matters' ELSE 'devices' END
		FROM entries e LEFT JOIN matters m ON m.no = e.matter LEFT JOIN devices d ON d.no = e.sender WHERE m.no IS NULL OR d.no IS NULL`,

	// A matter's log has every place from the one after its floor to the head, once.
	`SELECT 'matter ' || m.no || ': ' || count(e.seq) || ' entries from ' || coalesce(min(e.seq), 0) || ' to ' || coalesce(max(e.seq), 0) || ', floor ' || m.floor || ', head ' || m.head
		FROM matters m LEFT JOIN entries e ON e.matter = m.no GROUP BY m.no
		HAVING count(e.seq) <> m.head - m.floor OR (m.head > m.floor AND (max(e.seq) <> m.head OR min(e.seq) <> m.floor + 1))`,
	`SELECT 'matter ' || matter || ', entry ' || seq || ': time or epoch runs backwards' FROM
		(SELECT matter, seq, time_ms, epoch, lag(time_ms) OVER w AS time_before, lag(epoch) OVER w AS epoch_before
			FROM entries WINDOW w AS (PARTITION BY matter ORDER BY seq))
		AS t WHERE time_ms < time_before OR epoch < epoch_before`,

	// Every epoch but the current one was ended by one commit; those that are no longer
	// kept are the oldest.
	`SELECT 'matter ' || m.no || ': ' || count(c.epoch) || ' commits, epoch ' || m.epoch
		FROM matters m LEFT JOIN commits c ON c.matter = m.no GROUP BY m.no
		HAVING (count(c.epoch) <> m.epoch AND m.floor = 0) OR
			(count(c.epoch) > 0 AND (max(c.epoch) <> m.epoch - 1 OR min(c.epoch) <> m.epoch - count(c.epoch)))`,
	`SELECT 'matter ' || c.matter || ': the commit of epoch ' || c.epoch || ' is not at ' || c.seq
		FROM commits c LEFT JOIN entries e ON e.matter = c.matter AND e.seq = c.seq
		WHERE e.seq IS NULL OR e.kind <> 1 OR e.epoch <> c.epoch`,
	`SELECT 'matter ' || e.matter || ', entry ' || e.seq || ': a commit that ended no epoch'
		FROM entries e WHERE e.kind = 1 AND NOT EXISTS
			(SELECT 1 FROM commits c WHERE c.matter = e.matter AND c.epoch = e.epoch AND c.seq = e.seq)`,
	`SELECT 'matter ' || m.no || ': group info of epoch ' || coalesce(CAST(g.epoch AS text), 'none') || ', epoch ' || m.epoch
		FROM matters m LEFT JOIN group_infos g ON g.matter = m.no WHERE g.epoch IS NULL OR g.epoch <> m.epoch`,

	// Participants come and go by commits, and are in a matter once at a time.
	`SELECT 'matter ' || p.matter || ', device ' || p.device || ': in it from ' || p.from_seq || ' until ' || coalesce(CAST(p.until_seq AS text), 'now')
		FROM participants p JOIN matters m ON m.no = p.matter
		WHERE p.until_seq < p.from_seq OR p.until_seq > m.head OR p.from_seq > CASE WHEN m.head > 1 THEN m.head ELSE 1 END
			OR (p.until_seq > m.floor AND NOT EXISTS (SELECT 1 FROM commits c WHERE c.matter = p.matter AND c.seq = p.until_seq))
			OR (p.from_seq > m.floor AND NOT (p.from_seq = 1 AND p.device = m.creator) AND NOT EXISTS (SELECT 1 FROM commits c WHERE c.matter = p.matter AND c.seq = p.from_seq))`,
	`SELECT 'matter ' || matter || ', device ' || device || ': in it twice at ' || from_seq FROM
		(SELECT matter, device, from_seq, lag(coalesce(until_seq, 9223372036854775807)) OVER (PARTITION BY matter, device ORDER BY from_seq) AS before
			FROM participants)
		AS t WHERE from_seq <= before`,

	// Every counter that was taken stands for a message, as long as all are kept.
	`SELECT 'device ' || d.no || ': counter ' || d.counter || ', but ' || count(e.counter) || ' messages up to ' || coalesce(max(e.counter), 0)
		FROM devices d LEFT JOIN entries e ON e.sender = d.no AND e.counter > 0 GROUP BY d.no
		HAVING coalesce(max(e.counter), 0) > d.counter
			OR (count(e.counter) <> d.counter AND NOT EXISTS (SELECT 1 FROM matters WHERE floor > 0))`,

	`SELECT 'welcome ' || b.id || ': waits for nobody' FROM welcome_bodies b WHERE NOT EXISTS (SELECT 1 FROM welcomes w WHERE w.body = b.id)`,
}

// Problems returns what is wrong with the database, nothing when it is sound.
func (s *Snapshot) Problems(_ context.Context) (found []string, err error) {
	queries := problemQueries
	if s.conn.Pick("sqlite", "postgres") == "sqlite" {
		queries = append(fileQueries[:len(fileQueries):len(fileQueries)], problemQueries...)
	}
	for _, query := range queries {
		err := ask(s.conn, "look for problems", func(r Row) (bool, error) {
			var problem string
			err := r.Scan(&problem)
			found = append(found, problem)
			return true, err
		}, fmt.Sprintf("%s LIMIT %d", query, maxProblems))
		if err != nil {
			return found, err
		}
	}
	return found, nil
}
