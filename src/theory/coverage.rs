//! Which of the survey's numbered items the library covers.
