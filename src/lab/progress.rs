//! A bar on the terminal for trainings that take a while. Trust: untrusted.
//!
//! It goes to standard error, only if that is a terminal, and only after two seconds. Time decides when to draw, never what is
//! computed or printed elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(2);

/// Use [`TrainingBar::epoch`] in the progress hook of a training. The bar vanishes when dropped.
pub struct TrainingBar {
    bar: ProgressBar,
    start: Instant,
    visible: bool,
}

impl TrainingBar {
    pub fn new(name: &str, epochs: usize) -> TrainingBar {
        let bar = ProgressBar::with_draw_target(Some(epochs as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("  {prefix} {wide_bar} epoch {pos}/{len}  loss {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_string());
        TrainingBar { bar, start: Instant::now(), visible: false }
    }

    pub fn epoch(&mut self, epoch: usize, loss: f64) {
        if !self.visible {
            if self.start.elapsed() < PATIENCE || !std::io::stderr().is_terminal() {
                return;
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.visible = true;
        }
        self.bar.set_message(format!("{loss:.4}"));
        self.bar.set_position(epoch as u64);
    }
}

/// A bar of steps for any other work that takes a while. It vanishes when dropped.
pub struct Bar {
    bar: ProgressBar,
    start: Instant,
    visible: bool,
}

impl Bar {
    pub fn new(name: &str) -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("  {prefix} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_string());
        Bar { bar, start: Instant::now(), visible: false }
    }

    /// `done` of `of` steps are made.
    pub fn step(&mut self, done: usize, of: usize) {
        if !self.visible {
            if self.start.elapsed() < PATIENCE || !std::io::stderr().is_terminal() {
                return;
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.visible = true;
        }
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for TrainingBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar for a search that several threads advance.
pub struct SearchBar {
    bar: ProgressBar,
    start: Instant,
    visible: AtomicBool,
}

impl SearchBar {
    pub fn new(name: &str, total: u64) -> SearchBar {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("  {prefix} {wide_bar} {percent}%  {eta} left") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_string());
        SearchBar { bar, start: Instant::now(), visible: AtomicBool::new(false) }
    }

    pub fn advance(&self, steps: u64) {
        self.bar.inc(steps);
        if self.start.elapsed() >= PATIENCE
            && std::io::stderr().is_terminal()
            && !self.visible.swap(true, Ordering::Relaxed)
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for SearchBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
