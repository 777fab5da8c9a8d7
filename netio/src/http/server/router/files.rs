//! A folder in a router.

use super::Router;
use crate::http::{
    Request,
    files::{StaticFiles, redirect},
};

impl Router {
    /// Puts the files of a folder below `prefix`: `/static/a/b.css` is the file `a/b.css` of the folder, `/static/` its
    /// `index.html`, and `/static` is redirected there. With the prefix `/` they are everywhere where no other route is.
    ///
    /// ```
    /// use netio::http::{files::StaticFiles, server::Router};
    /// let router = Router::new().get("/api/time", async || "now").files("/", StaticFiles::new("public"));
    /// ```
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn files(self, prefix: &str, files: StaticFiles) -> Router {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let index = files.clone();
        let router = self
            .get(&format!("{prefix}/"), move |request: Request| {
                let files = index.clone();
                async move { files.respond_below(&request, "").await }
            })
            .get(&format!("{prefix}/{{*path}}"), move |request: Request| {
                let files = files.clone();
                async move {
                    // The last one: a router around this one may have parameters in its prefix.
                    let path = request.parameters().next_back().map(|(_, value)| value).unwrap_or_default();
                    files.respond_below(&request, &path).await
                }
            });
        if prefix.is_empty() {
            return router;
        }
        router.get(prefix, async |request: Request| redirect(&request))
    }
}
