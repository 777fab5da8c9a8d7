// Live rebuild: the server tells the number of the build that it serves, and the page reloads when that changes.
'use strict';

(() => {
    let seen = null;
    let source = null;

    function listen() {
        source = new EventSource('/live');
        source.addEventListener('build', event => {
            if (seen !== null && seen !== event.data) location.reload();
            seen = event.data;
            document.getElementById('rebuild-failed')?.remove();
        });
        source.addEventListener('failed', event => {
            const old = document.getElementById('rebuild-failed');
            const note = old ?? document.body.appendChild(document.createElement('div'));
            note.id = 'rebuild-failed';
            note.setAttribute('role', 'alert');
            note.textContent = event.data;
        });
    }

    // A browser opens six connections to a server and no more: a tab that nobody looks at gives its own back.
    document.addEventListener('visibilitychange', () => {
        if (document.hidden) source.close();
        else listen();
    });
    addEventListener('pagehide', () => source.close());
    addEventListener('pageshow', event => { if (event.persisted) listen(); });
    if (!document.hidden) listen();
    else source = { close() {} };
})();
