// Renews the page in place, and says when that fails.
(function () {
  'use strict';
  var renewed = Date.now(), every = 5000;
  function tell() {
    var note = document.getElementById('old'), age = Math.round((Date.now() - renewed) / 1000);
    note.hidden = age < 15;
    note.textContent = 'Not renewed for ' + age + ' s: what this page says may be old.';
  }
  function put(text) {
    var fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('main');
    var main = document.getElementById('main');
    if (!fresh || main.innerHTML === fresh.innerHTML) return;
    // Whoever reads or walks through it by keyboard is not thrown out.
    var selection = String(window.getSelection()), at = document.activeElement;
    if (selection || (at && at !== document.body && main.contains(at))) return;
    // What was opened stays open.
    var open = opened(main).map(function (one) { return one.id; });
    main.innerHTML = fresh.innerHTML;
    open.forEach(function (id) { document.getElementById(id) && (document.getElementById(id).open = true); });
  }
  function opened(main) {
    return Array.prototype.slice.call(main.querySelectorAll('details[open][id]'));
  }
  function renew() {
    if (document.hidden) return;
    fetch(location.href, {cache: 'no-store', credentials: 'same-origin'}).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    }).then(function (text) { renewed = Date.now(); put(text); }).catch(function () {});
  }
  // What does not change by itself is left as whoever reads it has opened and scrolled it.
  if (document.getElementById('main').hasAttribute('data-still')) return;
  setInterval(renew, every);
  setInterval(tell, 1000);
})();
