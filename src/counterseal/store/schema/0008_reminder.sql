-- How far each channel (mail, webhook) has been reminded, by topic: for what ends, up to which moment; for a list, up to
-- which number; and until when it is somebody's turn to send. A row for a topic, whatever the number of certificates.
create table reminder (
    channel text not null,
    topic text not null,
    reached integer not null,
    primary key (channel, topic)
);
