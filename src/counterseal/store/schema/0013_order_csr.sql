-- The CSR of an order that is being signed, so that another replica can finish what a dead one began; null before and after.
alter table acme_order add column csr blob;
