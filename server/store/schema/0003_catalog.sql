-- Promotion codes by what a customer types (folded in Python); several may share it over the years.
CREATE TABLE promotion_code (
  brand TEXT NOT NULL,
  code  TEXT NOT NULL,
  id    TEXT NOT NULL,
  PRIMARY KEY (brand, code, id)
);

-- How often a coupon or a promotion code was redeemed here, beyond what its export counted.
CREATE TABLE redemption (
  brand TEXT NOT NULL,
  kind  TEXT NOT NULL,                     -- coupon | promotion_code
  id    TEXT NOT NULL,
  used  BIGINT NOT NULL,
  PRIMARY KEY (brand, kind, id)
);
