// Fetches frames of an ascent, one request at a time, each asking for something newer than the last;
// the server lets it wait until there is (genlib/ui/frames.py). Nothing is asked for while the tab
// is hidden, so that the server sees that nobody is looking, nor when nothing more will come.
const CURVES_MS = 500, STRIP_MS = 700; // the curves and the filmstrip need not follow every frame
const STOPPED_MS = 300; // the page usually knows already: a button of its own did it
const LONGEST_BACKOFF_MS = 4000;

// feed = startFeed({ gotPacket, gotLost, gotStopped }); feed.tell(data) with each data; feed.end()
function startFeed(hear) {
  const feed = { data: null, version: -1, running: false, settled: true, ended: false, before: "",
    strip: "", curvesAt: 0, stripAt: 0, failures: 0, painted: Promise.resolve(), wake: () => {} };
  const visible = () => feed.wake();
  document.addEventListener("visibilitychange", visible);
  feed.tell = (data) => {
    if (feed.data?.address !== data.address) {
      Object.assign(feed, { version: -1, before: "", strip: "" });
      feed.abort?.abort();
    }
    Object.assign(feed, { data, settled: false, failures: 0 });
    feed.wake();
  };
  feed.end = () => {
    feed.ended = true;
    document.removeEventListener("visibilitychange", visible);
    clearTimeout(feed.stopping);
    feed.abort?.abort();
    feed.wake();
  };
  follow(feed, hear);
  return feed;
}

async function follow(feed, hear) {
  while (!feed.ended) {
    if (document.hidden || feed.settled) {
      await new Promise((wake) => { feed.wake = wake; });
      continue;
    }
    const abort = (feed.abort = new AbortController());
    try {
      const { data } = feed, wanted = wants(feed);
      const packet = await ask(feed, wanted, abort.signal);
      await feed.painted; // one frame is drawn while the next is on its way, never two
      if (abort.signal.aborted) continue;
      take(feed, packet, wanted);
      if (feed.data !== data) feed.settled = false; // the page said something meanwhile
      feed.painted = hear.gotPacket(packet);
      watchRunning(feed, hear);
    } catch (problem) {
      if (abort.signal.aborted) continue;
      await lost(feed, hear, problem);
    }
  }
}

// What to ask for beside the frame: now and then while it climbs, all when it rests.
function wants({ running, data, curvesAt, stripAt }) {
  const now = performance.now(), resting = !running || !data.running;
  return { curves: resting || now - curvesAt > CURVES_MS, strip: resting || now - stripAt > STRIP_MS };
}

async function ask(feed, wanted, signal) {
  const query = new URLSearchParams({ after: feed.version });
  if (wanted.curves) query.set("curves", "1");
  if (wanted.strip) query.set("strip", feed.strip);
  if (feed.data.compare) query.set("before", feed.before);
  // Relative to the page, which lies beside it under whatever path the app is served.
  const answer = await fetch(`${feed.data.address}?${query}`, { signal, cache: "no-store" });
  const type = answer.headers.get("content-type") ?? "";
  if (!answer.ok || !type.startsWith("application/octet-stream")) {
    throw Object.assign(new Error(`the server answered ${answer.status}`), { gone: true });
  }
  return unpack(new Uint8Array(await answer.arrayBuffer()));
}

function take(feed, packet, wanted) {
  const now = performance.now();
  feed.failures = 0;
  feed.version = packet.version;
  feed.running = packet.running;
  feed.settled = !packet.running && wanted.curves && wanted.strip;
  if (wanted.curves) feed.curvesAt = now;
  if (wanted.strip) feed.stripAt = now;
  if (packet.strip) feed.strip = packet.strip.version;
  if (packet.before) feed.before = packet.before;
}

// It stopped by itself: the page's buttons must hear of it.
function watchRunning(feed, hear) {
  clearTimeout(feed.stopping);
  if (feed.running === feed.data.running) return;
  feed.stopping = setTimeout(() => {
    if (feed.running !== feed.data.running && !feed.ended) hear.gotStopped();
  }, STOPPED_MS);
}

async function lost(feed, hear, problem) {
  feed.failures++;
  // An ascent that is gone does not come back by asking; new data from the page begin anew.
  if (problem.gone) feed.settled = true;
  hear.gotLost(problem.gone || feed.failures > 2);
  const pause = Math.min(LONGEST_BACKOFF_MS, 125 * 2 ** feed.failures);
  await new Promise((wake) => { feed.wake = wake; setTimeout(wake, pause); });
}
