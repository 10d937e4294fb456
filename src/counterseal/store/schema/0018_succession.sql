-- The CA that issues in the place of one that was retired.
alter table ca add column successor text references ca (name);
