package corpus

import "strings"

var (
	days     = strings.Fields("今天 明天 后天 昨天 周一 周二 周三 周四 周五 下周一 下周三 月底 月初 年底 上午 下午 今晚 节后")
	stops    = strings.Fields("。 ， 。 ， ； ！ 。 ？ ：")
	closings = strings.Fields("谢谢。 辛苦了！ 收到请回复。 麻烦大家。 以上。 可以吗？ 请确认。 好的。 急！")
	surnames = strings.Fields("王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 沈 曾 彭 吕 苏 卢 蒋 蔡 贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 顾 侯 邵 孟 龙 万 段 雷 钱 汤 尹 黎 易 常 武 乔 贺 赖 龚 文")
	givens   = strings.Fields("伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀 霞 平 刚 桂 英 华 玉 兰 建 国 志 红 梅 鑫 宇 浩 然 子 轩 雨 欣 怡 思 远 博 文 晨 曦 嘉 豪 梓 涵 一 诺 佳 琪 俊 凯 天 翔 晓 峰 海 燕 春 雪 冬 云 飞 龙 凤 美 玲 瑞 祥 振 兴 德 福 盛 和 泰 安 康 宁 信 诚 达 通 恒 源 丰 润")
	places   = strings.Fields("北京 上海 广州 深圳 杭州 南京 成都 武汉 苏州 天津 重庆 西安 长沙 青岛 宁波 厦门 大连 无锡 合肥 郑州 福州 济南 昆明 东莞 佛山")
	trades   = strings.Fields("科技 贸易 实业 建材 医药 食品 物流 机械 电子 服饰 化工 能源 教育 传媒 软件 咨询 设计 装饰 旅游 农业")
)

// topics are nouns and verbs of business life, from common to rare.
var topics = strings.Fields(`
合同 客户 项目 付款 会议 方案 报价 时间 问题 文件 审批 发票 系统 报销 数据 产品 邮件 资料 进度 需求
测试 设计 价格 公司 部门 材料 采购 订单 预算 计划 流程 安排 确认 供应商 交付 验收 条款 修改 版本 附件
财务 法务 人事 销售 市场 技术 运营 客服 仓库 物流 生产 质量 安全 培训 招聘 考勤 工资 奖金 绩效 福利
签字 盖章 公章 原件 复印件 扫描件 协议 补充协议 保密 违约 赔偿 担保 保证金 定金 尾款 首付 税率 税务 开票 抬头
账户 银行 汇款 转账 到账 对账 结算 成本 利润 毛利 现金流 应收 应付 账期 逾期 催款 坏账 审计 报表 年报
差旅 机票 酒店 高铁 餐费 打车 住宿 补贴 加班 调休 年假 病假 产假 婚假 离职 入职 转正 试用期 面试 简历
服务器 数据库 接口 代码 上线 发布 回滚 漏洞 备份 恢复 监控 日志 性能 网络 防火墙 权限 密码 账号 域名 证书
需求评审 原型 界面 图标 颜色 字体 文案 海报 宣传册 展会 样品 打样 包装 标签 说明书 专利 商标 版权 授权 许可
图纸 工地 施工 监理 验货 质检 返工 维修 保养 设备 零件 模具 原料 库存 盘点 出库 入库 退货 换货 破损
发货 收货 运费 快递 集装箱 报关 清关 提单 装箱单 信用证 关税 进口 出口 货代 船期 港口 保险 理赔 索赔 仲裁
诉讼 律师 证据 开庭 判决 和解 调解 尽调 并购 股权 融资 估值 董事会 股东 决议 章程 分红 期权 投资 尽职调查
竞争对手 市场份额 渠道 代理商 经销商 门店 促销 折扣 会员 积分 直播 广告 投放 转化率 流量 推广 品牌 口碑 调研 问卷
目标 指标 考核 汇报 总结 复盘 改进 风险 应急 预案 消防 演练 巡检 隐患 整改 环保 排放 噪音 能耗 节能
食堂 班车 宿舍 停车 门禁 工牌 钥匙 会议室 投影仪 打印机 墨盒 办公用品 绿植 保洁 装修 搬迁 租金 物业 水电 空调
团建 年会 生日 慰问 体检 疫苗 保险单 公积金 社保 个税 档案 户口 居住证 签证 护照 邀请函 公证 翻译 认证 备案
招标 投标 标书 中标 围标 评标 保函 资质 业绩 工期 里程碑 甘特图 变更 签证单 洽商 决算 预付 质保金 保修 竣工
芯片 传感器 电池 电机 电缆 外壳 线路板 固件 蓝牙 天线 功耗 散热 防水 跌落 老化 可靠性 良率 产能 排期 交期
临床 药品 器械 注册证 批号 冷链 有效期 召回 不良反应 处方 医院 科室 护士 病历 随访 样本 检测 试剂 耗材 消毒
课程 讲师 学员 教材 考试 结业 讲义 录播 直播课 作业 班主任 家长 学费 退费 校区 教室 排课 点名 证书班 研学
鱿鱼 螺丝 龙舟 月饼 粽子 春联 灯笼 茶叶 陶瓷 丝绸 竹编 漆器 砚台 篆刻 古琴 围棋 皮影 剪纸 泥塑 年画`)

// clauses are what is said, with slots that Gen.slots fills.
var clauses = []string{
	"D的T会议改到N点", "请把T的T发我一份", "C的T已经T了", "T这边还差T", "P说T没有问题", "我看了一下T，T需要改", "T的T什么时候能给",
	"关于T，我们D再讨论", "T已提交，请P审批", "T金额是N元", "已付N元，余款D付", "T第N条要改成T", "这个T和上次的T不一样", "请P跟进T",
	"T的T我已经发到邮箱", "客户对T不太满意，主要是T", "T有N个问题，都是T相关的", "D之前要把T交给P", "T延期了，原因是T", "T完成N%",
	"我建议先做T再做T", "T的风险在T", "大家看看T有没有意见", "T由P负责，P配合", "C要求重新T", "T单号N，请查收", "C的联系人换成P了",
	"T系统又出问题了，P在看", "T和T的数据对不上，差N", "T按W的格式来", "W的T更新到第N版", "请在D下班前完成T", "T已归档", "没有T就不能T",
	"T需要法务看一下", "财务说T要补T", "这次T由C承担", "T的报价是N，比上次低", "新的T比原来的T好用", "P去C出差，D回来", "T会上决定T由P牵头",
	"我同意", "可以", "收到", "稍等，我查一下T", "不行，T还没批", "麻烦P再核对一下T", "T的照片见附件", "T原件寄到C了，快递单号N",
}

// english are words that stand for T in English texts.
var english = strings.Fields(`contract clause draft review signature closing deposit escrow litigation hearing evidence filing
counsel partner invoice settlement arbitration merger disclosure schedule exhibit amendment waiver indemnity liability warranty deadline meeting
call agenda minutes attachment version final confirmation client matter confidential budget forecast quarter revenue margin pipeline lead demo
proposal quote discount shipment customs container warehouse inventory supplier sample prototype firmware release rollback incident outage backup
server database latency dashboard metric campaign brand launch roadmap backlog sprint milestone risk audit compliance policy training interview
offer onboarding payroll bonus leave travel hotel flight receipt reimbursement visa passport office lease parking badge printer`)

// sentences are English ones, filled by Gen.slotsEnglish.
var sentences = []string{
	"Please review the _w before the _w on Friday.", "The _w is attached, version _n .", "_p will send the _w tomorrow.",
	"We still need the _w and the _w .", "Can you confirm the _w by Monday?", "The _w was approved.", "The client asked for a new _w .",
	"I have updated the _w in the shared folder.", "Total is _n USD including the _w .", "Let us discuss the _w in the next call.",
	"The _w is delayed because of the _w .", "Thanks, looks good to me.", "Please loop in _p on the _w .", "No changes to the _w since last week.",
	"The _w number is _n .", "Who owns the _w now?", "Signed and sent.", "The _w failed again, _p is looking into it.",
}
