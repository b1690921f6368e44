
// The contents follow the reader, a click enlarges a figure and Escape puts it back.
// The page has all of it without this script too, but for the marking in some browsers.
(() => {
  const contents = document.getElementById("TOC");
  const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...document.querySelectorAll("main section[id]")].filter((section) => links.has(section.id));
  let current = null;

  function follow() {
    const line = innerHeight * 0.3;
    const passed = sections.filter((section) => section.getBoundingClientRect().top <= line);
    const link = passed.length ? links.get(passed[passed.length - 1].id) : null;
    if (link === current) return;
    if (current) current.removeAttribute("aria-current");
    current = link;
    if (!link) return;
    link.setAttribute("aria-current", "true");
    const out = link.offsetTop < contents.scrollTop
      || link.offsetTop + link.offsetHeight > contents.scrollTop + contents.clientHeight;
    if (out) contents.scrollTop = link.offsetTop - contents.clientHeight / 2;
  }

  let waiting = false;
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; follow(); });
  }
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  follow();

  // An enlarged figure goes back to where the reader was: the same place, the same link.
  let place = null;
  function close(plate) {
    const figure = plate.parentElement;
    location.hash = figure.id;
    if (place !== null) scrollTo(0, place);
    figure.querySelector(".tools a").focus({ preventScroll: true });
  }
  addEventListener("keydown", (event) => {
    const plate = document.querySelector(".plate:target");
    if (event.key === "Escape" && plate) close(plate);
  });
  addEventListener("click", (event) => {
    const plate = event.target.closest(".plate[id]");
    const enlarged = document.querySelector(".plate:target");
    if (!enlarged) {
      place = scrollY;
      if (plate && getSelection().isCollapsed) location.hash = plate.id;
    } else if (event.target === enlarged || event.target.closest(".close")) {
      event.preventDefault();
      close(enlarged);
    }
  });
})();
