//! Lines on the terminal for searches that take a while. Trust: untrusted.
//!
//! They go to standard error, only if that is a terminal, and only after two seconds.

use super::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(2);

/// Shows bounds, gap and nodes of a running search. The line vanishes when dropped.
pub struct SearchBar {
    bar: ProgressBar,
    start: Instant,
    visible: bool,
}

impl Default for SearchBar {
    fn default() -> SearchBar {
        SearchBar::new()
    }
}

impl SearchBar {
    pub fn new() -> SearchBar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} branch and bound  {msg}  {elapsed}") {
            bar.set_style(style);
        }
        SearchBar { bar, start: Instant::now(), visible: false }
    }

    pub fn show(&mut self, progress: Progress) {
        if !self.visible {
            if self.start.elapsed() < PATIENCE || !std::io::stderr().is_terminal() {
                return;
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.visible = true;
        }
        let Progress { lower, upper, nodes, open } = progress;
        let gap = 100.0 * (upper / lower - 1.0);
        self.bar.set_message(format!("[{lower:.6}, {upper:.6}]  gap {gap:.2} %  {nodes} nodes, {open} open"));
        self.bar.tick();
    }
}

impl Drop for SearchBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Runs a search without bounds to show; on a terminal its name and its time appear after two seconds.
pub fn spinning<T>(name: &str, search: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return search();
    }
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            bar.set_message(name.to_string());
            let mut pause = PATIENCE;
            // The search has ended when its end of the channel is gone.
            while let Err(RecvTimeoutError::Timeout) = waiting.recv_timeout(pause) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.tick();
                pause = Duration::from_millis(200);
            }
            bar.finish_and_clear();
        });
        let result = search();
        drop(done);
        result
    })
}
