module Tuple exposing (first)

{-| A stub.

@docs first

-}


{-| -}
first : ( a, b ) -> a
first ( a, _ ) =
    a
