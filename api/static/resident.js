// One demand, opened by the token behind `#` or by number and code. Everything is written as text, never as markup.
"use strict";

const english = document.documentElement.lang === "en";
const say = (zh, en) => (english ? en : zh);
const place = document.getElementById("demand");
const KEY = "linli-link";

// Out of the address bar at once: the address is what people copy, and what the browser's history keeps.
if (location.hash.length > 1) {
  sessionStorage.setItem(KEY, location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

function element(tag, text, attributes = {}) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

async function ask(method, path, body) {
  const headers = { "Accept-Language": english ? "en" : "zh-CN" };
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Link ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  if (method === "POST" && path !== "session") headers["Idempotency-Key"] = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const answer = await fetch(`/api/v1/resident/${path}`, { method, headers, body: body ? JSON.stringify(body) : undefined });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.title), said);
  return said;
}

const time = (at) => new Date(at).toLocaleString(english ? "en-GB" : "zh-CN", { dateStyle: "medium", timeStyle: "short" });

function refused(problem) {
  const old = place.querySelector(".problem");
  if (old) old.remove();
  place.prepend(element("p", saidOf(problem), { class: "problem", role: "alert" }));
}

function saidOf(problem) {
  if (!problem.code) return say("网络不通，请稍后再试。", "No connection. Try again in a moment.");
  if (problem.code === "unauthenticated") return say("链接无效或查询已超时，请输入编号和查询码。", "This link is not known, or your time is over: enter number and code.");
  return `${problem.title}${say("。", ". ")}${problem.detail}`;
}

async function change(path, body) {
  for (const button of place.querySelectorAll("button")) button.disabled = true;
  try {
    show(await ask("POST", path, body));
  } catch (problem) {
    for (const button of place.querySelectorAll("button")) button.disabled = false;
    refused(problem);
  }
}

function choice(name, question, answers) {
  const group = element("fieldset");
  group.append(element("legend", question));
  for (const [value, words] of answers) {
    const label = element("label");
    label.append(element("input", "", { type: "radio", name, value, required: "" }), ` ${words}`);
    group.append(label);
  }
  return group;
}

function questions() {
  const form = element("form", "", { id: "questions" });
  form.append(
    element("h2", say("请您评价", "Three questions")),
    choice("contacted", say("工作人员与您联系了吗？", "Were you contacted?"), [["yes", say("是", "Yes")], ["no", say("否", "No")]]),
    choice("solved", say("问题解决了吗？", "Is it solved?"), [
      ["yes", say("已解决", "Yes")], ["partly", say("部分解决", "Partly")], ["no", say("未解决", "No")],
    ]),
    choice("satisfied", say("您对办理满意吗？", "Are you satisfied with how it was handled?"), [
      ["satisfied", say("满意", "Satisfied")], ["basically_satisfied", say("基本满意", "Basically satisfied")],
      ["dissatisfied", say("不满意", "Dissatisfied")], ["very_dissatisfied", say("非常不满意", "Very dissatisfied")],
    ]),
    words(say("补充说明（可不填）", "Anything else? (optional)")),
    element("button", say("提交评价", "Send"), { type: "submit" }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const body = { contacted: given.get("contacted") === "yes", solved: given.get("solved"), satisfied: given.get("satisfied") };
    if (given.get("note").trim()) body.note = given.get("note").trim();
    change("answer", body);
  });
  return form;
}

function words(hint) {
  const label = element("label", hint);
  label.append(element("textarea", "", { name: "note", rows: "3", maxlength: "4000" }));
  return label;
}

const DEEDS = {
  urge: say("催办", "Urge"), reopen: say("没有解决，申请重新办理", "Not solved: have it reopened"),
  unmerge: say("我的是另一回事", "Mine is another matter"), withdraw: say("撤回诉求", "Withdraw it"),
};

function deeds(permitted) {
  const form = element("form");
  form.append(element("h2", say("补充或办理", "Add something")), words(say("说明", "A word about it")));
  if (permitted.includes("note")) form.append(element("button", say("补充说明", "Add this"), { type: "submit" }));
  const said = () => new FormData(form).get("note").trim();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (said()) change("actions", { type: "note", note: said() });
  });
  for (const type of Object.keys(DEEDS).filter((one) => permitted.includes(one))) {
    const button = element("button", DEEDS[type], { type: "button" });
    button.addEventListener("click", () => {
      if (type === "withdraw" && !confirm(say("确定撤回这件诉求？", "Withdraw this demand?"))) return;
      change("actions", said() ? { type, note: said() } : { type });
    });
    form.append(button);
  }
  return form;
}

function show(demand) {
  const said = (one) => (english ? one.en : one.zh);
  place.replaceChildren(
    element("p", `${say("编号", "Number")} ${demand.number}`),
    element("p", said(demand.stage), { class: "stage", id: "stage" }),
  );
  if (demand.owner) place.append(element("p", `${say("承办人", "With")}：${[demand.owner.name, demand.owner.unit].filter(Boolean).join(" · ")}`));
  if (demand.next) {
    const late = demand.next.late ? say("（已超期）", " (late)") : "";
    const until = demand.next.due_at ? `${say("，期限", ", by")} ${time(demand.next.due_at)}` : "";
    place.append(element("p", `${say("下一步", "Next")}：${said(demand.next)}${until}${late}`));
  }
  for (const text of demand.texts) {
    place.append(element("h2", text.by_you ? say("您的诉求", "What you wrote") : say("答复", "Reply")), element("p", text.text));
  }
  if (demand.questions.open) place.append(questions());
  else if (demand.questions.given) place.append(element("p", say("感谢您的评价。", "Thank you for your answer."), { id: "answered" }));
  const history = element("ol");
  for (const one of demand.history) history.append(element("li", `${time(one.at)} ${said(one)}`));
  place.append(element("h2", say("办理经过", "What has happened")), history);
  if (demand.permitted.includes("note")) place.append(deeds(demand.permitted));
}

function signIn() {
  const form = element("form");
  const field = (name, label) => {
    const node = element("label", label);
    node.append(element("input", "", { type: "text", name, required: "", maxlength: "32", autocomplete: "off" }));
    return node;
  };
  form.append(
    field("number", say("诉求编号", "Number of the demand")), field("code", say("查询码", "Code")),
    element("button", say("查询", "Open"), { type: "submit" }),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = new FormData(form);
    try {
      sessionStorage.removeItem(KEY);
      await ask("POST", "session", { number: given.get("number").trim(), code: given.get("code") });
      show(await ask("GET", "demand"));
    } catch (problem) {
      refused(problem);
    }
  });
  place.replaceChildren(form);
}

async function start() {
  try {
    show(await ask("GET", "demand"));
  } catch (problem) {
    signIn();
    if (problem.code !== "unauthenticated" || sessionStorage.getItem(KEY)) refused(problem);
    sessionStorage.removeItem(KEY);
  }
}

start();
